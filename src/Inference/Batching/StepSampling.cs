using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>Chooses the next tokens of all jobs of a step, on several threads where that pays. Used by the decode thread, which takes part.</summary>
internal sealed class StepSampling
{
    // Some hundred microseconds' work: less is done sooner than others are woken.
    private const int LeastLogits = 1 << 18;

    private readonly INativeContext _context;
    private readonly INativeModel _model;
    private readonly ParallelOptions _parallel;
    private readonly Action<int> _choose;
    private readonly List<StepPart> _ready = [];

    /// <param name="context">Has decoded the step.</param>
    /// <param name="model">Its model.</param>
    /// <param name="threads">Most that choose at once.</param>
    public StepSampling(INativeContext context, INativeModel model, int threads)
    {
        _context = context;
        _model = model;
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
        _choose = Choose;
    }

    /// <summary>Waits for the step's logits, and has each job choose that has some to read.</summary>
    public void Choose(IReadOnlyList<StepPart> parts)
    {
        _ready.Clear();
        foreach (StepPart part in parts)
        {
            if (part.Output >= 0)
                _ready.Add(part);
        }
        if (_ready.Count == 0)
            return;
        // The first waits for the GPU, here: behind it the others only read.
        Choose(0);
        if (_parallel.MaxDegreeOfParallelism > 1 && (long)(_ready.Count - 1) * _model.VocabularySize >= LeastLogits)
        {
            Parallel.For(1, _ready.Count, _parallel, _choose);
            return;
        }
        for (int i = 1; i < _ready.Count; i++)
            Choose(i);
    }

    private void Choose(int index)
    {
        StepPart part = _ready[index];
        part.Job.Choose(_model, _context, part.Output, part.Guessed);
    }
}
