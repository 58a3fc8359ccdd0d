"""How close a super-resolved picture comes to the true one: PSNR and SSIM by the field's rules."""
