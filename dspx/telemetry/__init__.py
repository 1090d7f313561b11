"""Who watches: logging and progress lines. They listen; nothing below imports them."""
