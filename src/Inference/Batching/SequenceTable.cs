using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// The sequences of a context: in use, kept after use because a later prompt may begin alike (prefix reuse), or free. What is kept takes the memory that
/// running jobs do not need; the one unused for longest goes first, and so does one that nobody came back for. Equal beginnings take memory once. Used by the decode
/// thread alone.
/// </summary>
internal sealed class SequenceTable
{
    private readonly INativeContext _context;
    private readonly long _keptFor;
    private readonly Stack<Sequence> _free = new();
    private readonly List<Sequence> _used = [];

    // The one unused for longest first.
    private readonly List<Sequence> _kept = [];
    private long _decoded;

    /// <param name="context">Whose sequences.</param>
    /// <param name="keptFor">Tokens that others decode until one that is unused is forgotten; 0: none is kept.</param>
    public SequenceTable(INativeContext context, long keptFor)
    {
        _context = context;
        _keptFor = keptFor;
        for (int id = context.SequenceCount - 1; id >= 0; id--)
            _free.Push(new Sequence(id));
    }

    public bool HasFree => _free.Count > 0 || _kept.Count > 0;

    /// <summary>Sequences that are kept.</summary>
    public int Kept => _kept.Count;

    /// <returns>A sequence that begins as <paramref name="tokens"/> do, as far as one is known; at least the last of them is missing in it.</returns>
    public Sequence Rent(ReadOnlySpan<int> tokens)
    {
        Sequence? source = LongestBeginning(tokens[..^1], out int length);
        Sequence sequence = source is null ? TakeEmpty() : Branch(source, length);
        _used.Add(sequence);
        return sequence;
    }

    /// <summary>
    /// So many tokens were decoded, beside what is kept: attention goes over all of the memory, so what nobody comes back for makes all others slower. Once
    /// that has cost about what reading it again would, it goes.
    /// </summary>
    public void Decoded(int tokens)
    {
        _decoded += tokens;
        while (_kept.Count > 0 && _decoded - _kept[0].UnusedSince > _keptFor)
            ForgetOldest();
    }

    /// <summary>A sequence is no longer in use; what stands in it may serve another prompt.</summary>
    public void Keep(Sequence sequence)
    {
        _used.Remove(sequence);
        // What is a beginning of another one serves nobody that the other does not serve: where the other can be cut there.
        if (_keptFor == 0 || sequence.Length == 0 || _kept.Exists(other => Serves(other, sequence)))
        {
            Free(sequence);
            return;
        }
        foreach (Sequence shorter in _kept.FindAll(other => Serves(sequence, other)))
        {
            _kept.Remove(shorter);
            Free(shorter);
        }
        AddKept(sequence);
    }

    /// <summary>A sequence is no longer in use, and what stands in it may be half read.</summary>
    public void Discard(Sequence sequence)
    {
        _used.Remove(sequence);
        Free(sequence);
    }

    /// <summary>Forgets what stands in a sequence from a length on, or all of it where the model cannot do that.</summary>
    public void Cut(Sequence sequence, int length)
    {
        int left = Math.Min(length, sequence.Length);
        if (!_context.CanBranch(sequence.Id, left) || !_context.TruncateSequence(sequence.Id, left))
        {
            left = 0;
            _context.TruncateSequence(sequence.Id, 0);
        }
        sequence.Truncate(left);
    }

    /// <returns>Whether there was one to forget.</returns>
    public bool ForgetOldest()
    {
        if (_kept.Count == 0)
            return false;
        Sequence oldest = _kept[0];
        _kept.RemoveAt(0);
        Free(oldest);
        return true;
    }

    private bool Serves(Sequence sequence, Sequence beginning) =>
        sequence.Common(beginning.Tokens) == beginning.Length && _context.CanBranch(sequence.Id, beginning.Length);

    private Sequence? LongestBeginning(ReadOnlySpan<int> tokens, out int length)
    {
        Sequence? longest = null;
        length = 0;
        foreach (List<Sequence> sequences in (ReadOnlySpan<List<Sequence>>)[_kept, _used])
        {
            foreach (Sequence sequence in sequences)
            {
                int common = sequence.Common(tokens);
                if (common <= length || !_context.CanBranch(sequence.Id, common))
                    continue;
                longest = sequence;
                length = common;
            }
        }
        return longest;
    }

    private Sequence Branch(Sequence source, int length)
    {
        bool isKept = _kept.Remove(source);
        if (isKept && (length == source.Length || !HasFree))
        {
            // Nothing of it would be left for others, or it is the last one.
            Cut(source, length);
            return source;
        }
        Sequence sequence = TakeEmpty();
        _context.CopySequence(source.Id, sequence.Id, length);
        sequence.Append(source.Tokens[..length]);
        if (isKept)
            AddKept(source);
        return sequence;
    }

    private void AddKept(Sequence sequence)
    {
        sequence.UnusedSince = _decoded;
        _kept.Add(sequence);
    }

    private Sequence TakeEmpty()
    {
        if (_free.Count == 0)
            ForgetOldest();
        return _free.Pop();
    }

    private void Free(Sequence sequence)
    {
        // Forgetting a whole sequence never fails, whatever the model's kind of memory.
        _context.TruncateSequence(sequence.Id, 0);
        sequence.Truncate(0);
        _free.Push(sequence);
    }
}
