"""What the shop promises; nothing to do with the providers' contracts."""
