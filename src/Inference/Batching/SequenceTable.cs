using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>The sequences of a context: which are free, and what stands in them. Used by the decode thread alone.</summary>
internal sealed class SequenceTable
{
    private readonly INativeContext _context;
    private readonly Stack<Sequence> _free = new();

    public SequenceTable(INativeContext context)
    {
        _context = context;
        for (int id = context.SequenceCount - 1; id >= 0; id--)
            _free.Push(new Sequence(id));
    }

    public bool HasFree => _free.Count > 0;

    /// <returns>An empty sequence.</returns>
    public Sequence Rent() => _free.Pop();

    /// <summary>Forgets what stands in a sequence and makes it free.</summary>
    public void Return(Sequence sequence)
    {
        // Forgetting a whole sequence never fails, whatever the model's kind of memory.
        _context.TruncateSequence(sequence.Id, 0);
        sequence.Clear();
        _free.Push(sequence);
    }
}
