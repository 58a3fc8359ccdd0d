"""What ships with Pixelift: networks, each with a card that says what it promises."""
