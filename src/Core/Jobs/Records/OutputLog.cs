using System.Text.Json;
using OllamaMax.Streaming;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// A job's output as read so far, line by line: which attempt writes, what tokens there are, how it ended. Lines of an attempt that is
/// not the newest one, or that do not go on where the tokens end, are ignored. Not safe for concurrent use.
/// </summary>
public sealed class OutputLog
{
    private readonly List<int> _tokens = [];
    private AttemptStart? _start;
    private AttemptEnd? _end;
    private TimeSpan _evalBefore;
    private int _fenced;
    private bool _isContinuable = true;

    /// <summary>Number of the newest attempt that has begun; 0: none.</summary>
    public int Attempt { get; private set; }

    /// <summary>Tokens that were there when it began.</summary>
    public int From { get; private set; }

    /// <summary>All tokens of the answer; the next attempt goes on after the last of them.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>How the newest attempt ended; null while it has not.</summary>
    public AttemptEnd? End => _end;

    /// <summary>Why there is no more to come; null where there may be, or an attempt has begun after it.</summary>
    public JobError? Fence { get; private set; }

    /// <summary>Bytes read so far, whole lines only: where to read on, and where to append.</summary>
    public long Length { get; private set; }

    public OutputFacts Facts => new()
    {
        Attempt = Attempt,
        From = From,
        Tokens = _tokens.Count,
        IsContinuable = _isContinuable,
        Start = _start,
        End = _end,
        EvalBefore = _evalBefore,
    };

    /// <summary>Whether an attempt may write: neither a newer one has begun nor a fence ended it.</summary>
    public bool IsOpenTo(int attempt) => attempt > _fenced && attempt >= Attempt;

    /// <summary>Takes what follows the bytes read so far and answers the chunks in it that count.</summary>
    public IReadOnlyList<Chunk> Read(ReadOnlySpan<byte> bytes)
    {
        List<Chunk> chunks = [];
        for (int end; (end = bytes.IndexOf((byte)'\n')) >= 0; bytes = bytes[(end + 1)..])
        {
            Length += end + 1;
            if (Parse(bytes[..end]) is { } line && Take(line) is { } chunk)
                chunks.Add(chunk);
        }
        return chunks;
    }

    /// <summary>A line as it is appended, with its end of line.</summary>
    public static byte[] Write(OutputLine line) => [.. JsonSerializer.SerializeToUtf8Bytes(line, ProtocolJson.Default.OutputLine), (byte)'\n'];

    /// <summary>Null for what is no line of ours: a worker is another machine, and what it writes cannot harm more than its job.</summary>
    private static OutputLine? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ProtocolJson.Default.OutputLine);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Chunk? Take(OutputLine line)
    {
        if (line.Fence is { } fence)
        {
            _fenced = Math.Max(_fenced, line.Attempt);
            Fence = IsOpenTo(Attempt) ? Fence : fence;
            return null;
        }
        if (line.Begin is not null)
        {
            Begin(line.Attempt);
            return null;
        }
        return line.Attempt == Attempt && IsOpenTo(Attempt) && line.Chunk is { IsWellFormed: true } chunk && chunk.Index == _tokens.Count && _end is null
            ? Take(chunk)
            : null;
    }

    private void Begin(int attempt)
    {
        if (attempt <= Attempt || attempt <= _fenced)
            return;
        _evalBefore += _end?.EvalDuration ?? TimeSpan.Zero;
        _end = null;
        Fence = null;
        Attempt = attempt;
        From = _tokens.Count;
    }

    private Chunk Take(Chunk chunk)
    {
        _tokens.AddRange(chunk.Tokens);
        _isContinuable &= Array.TrueForAll(chunk.Tokens, PieceKind.IsToken);
        _start ??= chunk.Start;
        _end = chunk.End;
        return chunk;
    }
}
