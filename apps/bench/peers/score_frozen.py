"""score.py, with the weights frozen: what plain PyTorch can do when one knows that nobody reads their gradients.

    python3 score_frozen.py --model vgg16 --classes 10 --images 10
"""

from score import main

if __name__ == "__main__":
    main(frozen=True)
