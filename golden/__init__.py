"""The fixed-point reference: quantised MobileNetV2 as a Keras model, and its stored goldens."""
import os

# Read once, when TensorFlow or Keras is first imported: no start-up noise on the terminal, and
# the one backend whose convolutions are exact on float64 integers without further switches.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
