using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// The sequences of a context: in use, kept after use because a later prompt may begin alike (prefix reuse), or free. What is kept takes the memory that
/// running jobs do not need; the one unused for longest goes first, and so does one that nobody came back for: to the store, where there is one. Equal beginnings of one
/// partition take memory once; what is another's is not looked at. Used by the decode thread alone.
/// </summary>
internal sealed partial class SequenceTable
{
    /// <summary>Tokens that others decode until one is forgotten that nobody came back for: by then keeping it has cost about what reading it again would.</summary>
    internal const long KeptAtMost = 16384;

    private readonly INativeContext _context;
    private readonly long _keptFor;
    private readonly PrefixStore? _store;
    private readonly ILogger _logger;
    private readonly Stack<Sequence> _free = new();
    private readonly List<Sequence> _used = [];

    // The one unused for longest first.
    private readonly List<Sequence> _kept = [];
    private long _decoded;

    /// <param name="context">Whose sequences.</param>
    /// <param name="keptFor">Tokens that others decode until one that is unused goes; 0: none is kept, and none that is in use is shared.</param>
    /// <param name="store">Takes what goes, and gives it back; the context exchanges sequences then. Null: it is forgotten.</param>
    /// <param name="logger">Takes what is forgotten though there is a store.</param>
    public SequenceTable(INativeContext context, long keptFor, PrefixStore? store, ILogger logger)
    {
        _context = context;
        _keptFor = keptFor;
        _store = store;
        _logger = logger;
        for (int id = context.SequenceCount - 1; id >= 0; id--)
            _free.Push(new Sequence(id));
    }

    public bool HasFree => _free.Count > 0 || _kept.Count > 0;

    /// <summary>Sequences that are kept.</summary>
    public int Kept => _kept.Count;

    /// <param name="partition">Whose prompt it is (<see cref="Jobs.EngineRequest.Partition"/>).</param>
    /// <param name="tokens">The prompt.</param>
    /// <returns>
    /// A sequence that begins as <paramref name="tokens"/> do, as far as one is known; at least the last of them is missing in it. Where the store knows more, it is
    /// <see cref="Load">loaded</see> behind that.
    /// </returns>
    public Sequence Rent(string partition, ReadOnlySpan<int> tokens)
    {
        ReadOnlySpan<int> beginning = tokens[..^1];
        Sequence? source = LongestBeginning(partition, beginning, out int length);
        if (_store is not null)
        {
            (int known, int border) = _store.Match(partition, beginning, length);
            length = known > length ? border : length;
        }
        Sequence sequence = source is null || length == 0 ? TakeEmpty(partition) : Branch(source, length);
        _used.Add(sequence);
        return sequence;
    }

    /// <summary>Whether the store knows how a rented sequence goes on.</summary>
    public bool CanLoad(Sequence sequence, ReadOnlySpan<int> tokens) => _store?.Find(sequence.Partition, tokens[..^1], sequence.Length) is not null;

    /// <summary>Makes a rented sequence go on with the next block of the store, in the place of what is kept if need be.</summary>
    /// <returns>Whether there is more to load; not where there is no room for it.</returns>
    public bool Load(Sequence sequence, ReadOnlySpan<int> tokens)
    {
        // What makes room may take the block's place in the store.
        while (_store?.Find(sequence.Partition, tokens[..^1], sequence.Length) is ({ } block, var common))
        {
            int known = sequence.Length + common;
            if (_context.Append(sequence.Id, block.Part))
            {
                sequence.Append(block.Tokens);
                if (known < sequence.Length)
                    Cut(sequence, known);
                return sequence.Length == known && CanLoad(sequence, tokens);
            }
            if (!ForgetOldest())
                return false;
        }
        return false;
    }

    /// <summary>
    /// So many tokens are decoded next, beside what is kept: attention goes over all of the memory, so what nobody comes back for makes all others slower. It goes to the
    /// store, as many tokens as come and a block at least, so that these find its place free; what cannot go there stays up to <see cref="KeptAtMost"/>.
    /// </summary>
    public void Decoding(int tokens)
    {
        _decoded += tokens;
        int saved = 0;
        for (int i = 0; saved < Math.Max(tokens, 1) && i < _kept.Count && Unused(_kept[i]) > _keptFor;)
        {
            Sequence sequence = _kept[i];
            if (sequence.MayLeave && SaveBlock(sequence) is > 0 and var block)
                saved += block;
            else if (sequence.MayLeave || Unused(sequence) > KeptAtMost)
                FreeKept(i);
            else
                i++;
        }
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

    /// <summary>Makes room of what is kept, which goes to the store.</summary>
    /// <returns>Whether there was something.</returns>
    public bool ForgetOldest()
    {
        if (_kept.Count == 0)
            return false;
        Save(_kept[0]);
        FreeKept(0);
        return true;
    }

    private bool Serves(Sequence sequence, Sequence beginning) =>
        sequence.Partition == beginning.Partition && sequence.Common(beginning.Tokens) == beginning.Length && _context.CanBranch(sequence.Id, beginning.Length);

    private Sequence? LongestBeginning(string partition, ReadOnlySpan<int> tokens, out int length)
    {
        Sequence? longest = null;
        length = 0;
        if (_keptFor == 0)
            return null;
        foreach (List<Sequence> sequences in (ReadOnlySpan<List<Sequence>>)[_kept, _used])
        {
            foreach (Sequence sequence in sequences)
            {
                int common = sequence.Partition == partition ? sequence.Common(tokens) : 0;
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
            if (length < source.Length)
                Save(source);
            Cut(source, length);
            return source;
        }
        Sequence sequence = TakeEmpty(source.Partition);
        _context.CopySequence(source.Id, sequence.Id, length);
        sequence.Append(source.Tokens[..length]);
        if (isKept)
            AddKept(source);
        return sequence;
    }

    private void Save(Sequence sequence)
    {
        while (SaveBlock(sequence) > 0)
        {
        }
    }

    /// <returns>Tokens; 0 where all is saved, or no more of it can be: then it may not leave.</returns>
    private int SaveBlock(Sequence sequence)
    {
        if (_store is null)
            return 0;
        ReadOnlySpan<int> tokens = sequence.Tokens;
        (int known, int start) = _store.Match(sequence.Partition, tokens);
        if (known == tokens.Length)
            return 0;
        int end = Math.Min(start + PrefixStore.BlockTokens, tokens.Length);
        // What has forgotten a part, or has a state besides though its file does not say so, cannot be copied in parts.
        if (_context.CanBranch(sequence.Id, start) && TrySave(sequence, start, end))
            return end - start;
        sequence.MayLeave = false;
        return 0;
    }

    private bool TrySave(Sequence sequence, int start, int end)
    {
        try
        {
            return _store!.Add(sequence.Partition, sequence.Tokens[..end], _context.Save(sequence.Id, start, end));
        }
        catch (Exception failure) when (failure is NativeException or OutOfMemoryException)
        {
            LogNotSaved(failure, end - start);
            return false;
        }
    }

    private long Unused(Sequence kept) => _decoded - kept.UnusedSince;

    private void FreeKept(int index)
    {
        Sequence sequence = _kept[index];
        _kept.RemoveAt(index);
        Free(sequence);
    }

    private void AddKept(Sequence sequence)
    {
        (sequence.UnusedSince, sequence.MayLeave) = (_decoded, true);
        _kept.Add(sequence);
    }

    private Sequence TakeEmpty(string partition)
    {
        if (_free.Count == 0)
            ForgetOldest();
        Sequence sequence = _free.Pop();
        sequence.Partition = partition;
        return sequence;
    }

    private void Free(Sequence sequence)
    {
        // Forgetting a whole sequence never fails, whatever the model's kind of memory.
        _context.TruncateSequence(sequence.Id, 0);
        sequence.Truncate(0);
        _free.Push(sequence);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Tokens} tokens of a finished prompt cannot be copied; they may have to be read again")]
    private partial void LogNotSaved(Exception failure, int tokens);
}
