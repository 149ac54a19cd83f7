using System.Text.Json;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// A job's output as read so far, line by line: which attempt writes, what tokens there are, how it ended. Lines of an attempt that is
/// not the newest one, or that do not go on where the tokens end, are ignored. Not safe for concurrent use.
/// </summary>
/// <param name="find">The job's seal under a content key, by the key's id; null where it is not known here.</param>
public sealed class OutputLog(Func<string, ContentSeal?>? find = null)
{
    private readonly List<int> _tokens = [];
    private AttemptStart? _start;
    private AttemptEnd? _end;
    private AttemptEnd? _answer;
    private TimeSpan _evalBefore;
    private int _fenced;
    private bool _isContinuable = true;
    private string? _key;
    private ContentSeal? _seal;

    /// <summary>Number of the newest attempt that has begun; 0: none.</summary>
    public int Attempt { get; private set; }

    /// <summary>Tokens that were there when it began.</summary>
    public int From { get; private set; }

    /// <summary>All tokens of the answer; the next attempt goes on after the last of them. Without those that <see cref="MissingKey"/> stands before.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>How many tokens the answer has, readable or not.</summary>
    public int Count { get; private set; }

    /// <summary>Id of a content key that some of the answer is under, and that is not known here; null: all could be read.</summary>
    public string? MissingKey { get; private set; }

    /// <summary>How the newest attempt ended; null while it has not.</summary>
    public AttemptEnd? End => _end;

    /// <summary>
    /// How the answer came to its end, whichever attempt has written it. One that was taken for lost may still write its end when the next is issued already: that one has then nothing to
    /// add. Null: it has not yet.
    /// </summary>
    public AttemptEnd? Answer => _answer;

    /// <summary>Why there is no more to come; null where there may be, or an attempt has begun after it.</summary>
    public JobError? Fence { get; private set; }

    /// <summary>Bytes read so far, whole lines only: where to read on, and where to append.</summary>
    public long Length { get; private set; }

    public OutputFacts Facts => new()
    {
        Attempt = Attempt,
        From = From,
        Tokens = Count,
        IsContinuable = _isContinuable,
        Start = _start,
        End = _answer ?? _end,
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
        if (line.Begin is { } begin)
        {
            Begin(line.Attempt, begin.Key);
            return null;
        }
        if (line.Attempt != Attempt || !IsOpenTo(Attempt) || _end is not null)
            return null;
        // Who has begun with a key is not heard without it: otherwise whoever can write here could go on in the clear.
        if (_key is not null)
            return line.Sealed is { IsWellFormed: true } part && part.Index == Count ? Take(part, _key) : null;
        return line.Chunk is { IsWellFormed: true } chunk && chunk.Index == Count ? Take(chunk) : null;
    }

    private void Begin(int attempt, string? key)
    {
        if (attempt <= Attempt || attempt <= _fenced)
            return;
        _evalBefore += _end?.EvalDuration ?? TimeSpan.Zero;
        _end = null;
        // What it took is counted with what was before this attempt.
        _answer = _answer is null ? null : _answer with { EvalDuration = TimeSpan.Zero };
        Fence = null;
        Attempt = attempt;
        From = Count;
        _key = key;
        _seal = key is null ? null : find?.Invoke(key);
    }

    /// <summary>Null where it cannot be read: with the key missing it counts all the same, with another content it is none of ours.</summary>
    private Chunk? Take(SealedChunk part, string key)
    {
        if (_seal is not null)
            return part.Open(Attempt, _seal) is { } chunk ? Take(chunk) : null;
        MissingKey ??= key;
        Count += part.Count;
        _start ??= part.Start;
        Take(part.End);
        return null;
    }

    private Chunk Take(Chunk chunk)
    {
        _tokens.AddRange(chunk.Tokens);
        Count += chunk.Tokens.Length;
        _isContinuable &= Array.TrueForAll(chunk.Tokens, PieceKind.IsToken);
        _start ??= chunk.Start;
        Take(chunk.End);
        return chunk;
    }

    private void Take(AttemptEnd? end)
    {
        _end = end;
        if (end is { IsAnswer: true })
            _answer ??= end;
    }
}
