using System.Buffers.Text;
using OllamaMax.Jobs;

namespace OllamaMax.Streaming;

/// <summary>What one message may still take of the attempts' tokens, in bytes as they are written. Its first token it takes however large that is: it will not become smaller.</summary>
public sealed class MessageRoom(int bytes)
{
    // As JSON, about: a token's id and length, what is around its logprobs, and around each of the likely ones.
    private const int TokenBytes = 20;
    private const int LogprobsBytes = 40;
    private const int TopBytes = 60;

    private int _left = bytes;
    private bool _isEmpty = true;

    /// <summary>Something had to wait for another message.</summary>
    public bool IsFull { get; private set; }

    public bool TryTake(int piece, TokenLogprobs? logprobs)
    {
        int size = SizeOf(piece, logprobs);
        IsFull |= size > _left && !_isEmpty;
        if (IsFull)
            return false;
        _isEmpty = false;
        _left -= size;
        return true;
    }

    private static int SizeOf(int piece, TokenLogprobs? logprobs) => TokenBytes + Base64.GetMaxEncodedToUtf8Length(piece)
        + (logprobs is null ? 0 : LogprobsBytes + logprobs.Top.Sum(static top => TopBytes + Base64.GetMaxEncodedToUtf8Length(top.Piece.Length)));
}
