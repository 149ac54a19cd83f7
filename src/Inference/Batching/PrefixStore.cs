using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Beginnings of prompts in the machine's memory, where they cost the answers that run nothing. Kept in blocks, each behind the one before it (a radix tree), so that equal
/// beginnings take memory once and a conversation's next turn adds only what is new in it; a tree for each partition. The block unused for longest goes first. Used by the decode thread alone.
/// </summary>
/// <param name="capacity">Bytes.</param>
internal sealed class PrefixStore(long capacity) : IDisposable
{
    /// <summary>Most tokens of a block: few enough to be copied between two steps.</summary>
    internal const int BlockTokens = 128;

    // By partition; of none that has no block.
    private readonly Dictionary<string, List<Block>> _beginnings = [];

    // The one used last first; a block always before those that go on from it, so that the last one has none.
    private readonly LinkedList<Block> _recent = new();

    /// <summary>Of all blocks.</summary>
    public long Bytes { get; private set; }

    /// <summary>How much of a prompt is known, from the begin.</summary>
    /// <param name="partition">Whose it is.</param>
    /// <param name="tokens">The prompt.</param>
    /// <param name="longest">For the border: so far at most.</param>
    /// <returns>Its tokens that are known, and where the last block ends that is known whole.</returns>
    public (int Known, int Border) Match(string partition, ReadOnlySpan<int> tokens, int longest = int.MaxValue)
    {
        int known = 0, border = 0;
        foreach ((Block block, int common) in Path(partition, tokens))
        {
            known += common;
            if (common == block.Length && known <= longest)
                border = known;
        }
        return (known, border);
    }

    /// <summary>The block of a prompt that begins at a length, and how many of its tokens are the prompt's; null: there is none.</summary>
    public (Block Block, int Common)? Find(string partition, ReadOnlySpan<int> tokens, int start)
    {
        (Block Block, int Common) found = Path(partition, tokens).Find(step => step.Block.Part.Start == start);
        if (found.Block is null)
            return null;
        Touch(found.Block);
        return found;
    }

    /// <summary>Takes a part over that goes on from blocks that are there.</summary>
    /// <param name="partition">Whose they are.</param>
    /// <param name="tokens">All, to the end of the part.</param>
    /// <param name="part">Of them; disposed of if there is no room for it.</param>
    /// <returns>Whether there is room.</returns>
    /// <exception cref="ArgumentException">What stands before the part is not here.</exception>
    public bool Add(string partition, ReadOnlySpan<int> tokens, SequencePart part)
    {
        Block? before = Path(partition, tokens[..part.Start]).LastOrDefault().Block;
        if ((before?.Part.End ?? 0) != part.Start)
            throw new ArgumentException($"No block ends at {part.Start}.", nameof(part));
        Block added = new(partition, tokens[part.Start..].ToArray(), part, before);
        Touch(before);
        while (Bytes + added.Bytes > capacity && _recent.Last is { } last && last.Value != before)
            Remove(last.Value);
        if (Bytes + added.Bytes > capacity)
        {
            part.Dispose();
            return false;
        }
        (before?.Next ?? BeginningsOf(partition)).Add(added);
        _recent.AddFirst(added.Node);
        Touch(before);
        Bytes += added.Bytes;
        return true;
    }

    public void Dispose()
    {
        while (_recent.Last is { } last)
            Remove(last.Value);
    }

    /// <summary>The blocks that a prompt begins with; of the last one it may have a beginning only.</summary>
    private List<(Block Block, int Common)> Path(string partition, ReadOnlySpan<int> tokens)
    {
        List<(Block Block, int Common)> path = [];
        if (!_beginnings.TryGetValue(partition, out List<Block>? blocks))
            return path;
        while (Likest(blocks, tokens) is ({ } block, var common))
        {
            path.Add((block, common));
            if (common < block.Length)
                break;
            tokens = tokens[common..];
            blocks = block.Next;
        }
        return path;
    }

    private static (Block? Block, int Common) Likest(List<Block> blocks, ReadOnlySpan<int> tokens)
    {
        (Block? Block, int Common) likest = default;
        foreach (Block block in blocks)
        {
            int common = MemoryExtensions.CommonPrefixLength(block.Tokens, tokens);
            if (common > likest.Common)
                likest = (block, common);
        }
        return likest;
    }

    private void Touch(Block? used)
    {
        for (Block? block = used; block is not null; block = block.Before)
        {
            _recent.Remove(block.Node);
            _recent.AddFirst(block.Node);
        }
    }

    private List<Block> BeginningsOf(string partition)
    {
        if (!_beginnings.TryGetValue(partition, out List<Block>? blocks))
            _beginnings.Add(partition, blocks = []);
        return blocks;
    }

    private void Remove(Block block)
    {
        _recent.Remove(block.Node);
        List<Block> siblings = block.Before?.Next ?? _beginnings[block.Partition];
        siblings.Remove(block);
        if (block.Before is null && siblings.Count == 0)
            _beginnings.Remove(block.Partition);
        Bytes -= block.Bytes;
        block.Part.Dispose();
    }

    /// <summary>Neighbouring tokens, behind all those of the blocks before.</summary>
    internal sealed class Block
    {
        private readonly int[] _tokens;

        public Block(string partition, int[] tokens, SequencePart part, Block? before)
        {
            (Partition, _tokens, Part, Before) = (partition, tokens, part, before);
            Node = new(this);
        }

        public string Partition { get; }

        public ReadOnlySpan<int> Tokens => _tokens;

        public int Length => _tokens.Length;

        public SequencePart Part { get; }

        public Block? Before { get; }

        public List<Block> Next { get; } = [];

        public LinkedListNode<Block> Node { get; }

        public long Bytes => (long)Part.Size + (_tokens.Length * sizeof(int));
    }
}
