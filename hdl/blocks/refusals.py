"""What blocks refuse of the streams that they are given, a sentence each."""
from hdl.axis import AxiStream
from hdl.shape import StreamShape


def refuse_unequal(block: str, *streams: AxiStream) -> None:
    """ValueError unless all streams have one shape, and no marks."""
    shapes = [stream.shape for stream in streams]
    refuse_marks(block, *streams)
    if len(set(shapes)) > 1:
        told = " and ".join(str(shape) for shape in shapes)
        raise ValueError(f"{block} takes and gives streams of one shape, not {told}")


def refuse_tiles(block: str, *streams: AxiStream) -> None:
    """ValueError unless every beat is of one pixel, and without marks."""
    refuse_marks(block, *streams)
    for stream in streams:
        if stream.shape.tile != 1:
            raise ValueError(f"{block} takes and gives one pixel a beat, not {stream.shape}")


def refuse_marks(block: str, *streams: AxiStream) -> None:
    """ValueError where a stream has marks: inside a network, units count."""
    for stream in streams:
        if stream.shape.marks:
            raise ValueError(f"{block} drops {' and '.join(stream.shape.marks)}, which only the "
                             f"outside of a network has: give a stream without marks, not "
                             f"{stream.shape}")


def refuse_other(block: str, port: str, stream: AxiStream, wanted: StreamShape) -> None:
    """ValueError unless the stream at ``port`` has the shape that is wanted there."""
    if stream.shape != wanted:
        raise ValueError(f"{block} has {port} of {wanted}, not {stream.shape}")
