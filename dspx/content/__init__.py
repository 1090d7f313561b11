"""What a field can hold besides text: image, audio, file, document, code, history, reasoning, citations."""
