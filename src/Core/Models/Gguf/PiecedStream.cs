namespace OllamaMax.Models.Gguf;

/// <summary>Pieces of other streams one behind the other, and zeros between them, as one stream to read. Disposes of the others with itself.</summary>
internal sealed class PiecedStream : SeekableReading
{
    private readonly Piece[] _pieces;
    private readonly bool _leaveOpen;
    private long _position;

    /// <param name="pieces">From which stream, from its byte, so many; without a stream zeros.</param>
    /// <param name="leaveOpen">The others are somebody else's to dispose of.</param>
    public PiecedStream(IEnumerable<(Stream? From, long Start, long Length)> pieces, bool leaveOpen = false)
    {
        _leaveOpen = leaveOpen;
        List<Piece> placed = [];
        foreach (var (from, start, length) in pieces.Where(piece => piece.Length > 0))
        {
            placed.Add(new(from, start, Length, length));
            Length += length;
        }
        _pieces = [.. placed];
    }

    public override long Length { get; }

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public override int Read(Span<byte> buffer)
    {
        if (Find() is not { } piece || buffer.Length == 0)
            return 0;
        Span<byte> wanted = buffer[..(int)Math.Min(buffer.Length, piece.End - _position)];
        int read = wanted.Length;
        if (piece.From is null)
            wanted.Clear();
        else
            read = SeekIn(piece).Read(wanted);
        return Passed(read);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Find() is not { } piece || buffer.Length == 0)
            return 0;
        Memory<byte> wanted = buffer[..(int)Math.Min(buffer.Length, piece.End - _position)];
        int read = wanted.Length;
        if (piece.From is null)
            wanted.Span.Clear();
        else
            read = await SeekIn(piece).ReadAsync(wanted, cancellationToken);
        return Passed(read);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_leaveOpen)
        {
            foreach (Piece piece in _pieces)
                piece.From?.Dispose();
        }
        base.Dispose(disposing);
    }

    private Piece? Find() => Array.Find(_pieces, piece => _position >= piece.At && _position < piece.End);

    private Stream SeekIn(Piece piece)
    {
        long at = piece.Start + _position - piece.At;
        // Streams over a network read anew where they are moved.
        if (piece.From!.Position != at)
            piece.From.Position = at;
        return piece.From;
    }

    /// <summary>A piece that ends before it should would otherwise look like the end of all.</summary>
    private int Passed(int read)
    {
        if (read == 0)
            throw new EndOfStreamException($"a part of what ends after {Length} bytes has become shorter at byte {_position}");
        _position += read;
        return read;
    }

    private sealed record Piece(Stream? From, long Start, long At, long Length)
    {
        public long End => At + Length;
    }
}
