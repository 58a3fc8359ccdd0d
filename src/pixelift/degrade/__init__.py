"""From HR to the LR that people have: what happens to pictures, drawn, recorded and replayed."""
