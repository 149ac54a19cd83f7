using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>What a decode step takes of one job.</summary>
/// <param name="Job">Whose tokens.</param>
/// <param name="Count">How many of its pending ones.</param>
/// <param name="Output">The batch entry that the job's next token is sampled from; -1 while more is pending.</param>
/// <param name="Guessed">Tokens of its guess that stand behind that entry, each with an output of its own.</param>
internal readonly record struct StepPart(EngineJob Job, int Count, int Output, int Guessed);

/// <summary>
/// Decides what one decode step computes. Every running answer gets its token; prompts share what is left, bounded so
/// that answers go on evenly beside them. Every job gets at least one token into a step that has tokens of prompts.
/// </summary>
/// <param name="batchSize">Most tokens of a step.</param>
/// <param name="drafts">Says how many guessed tokens go beside answers.</param>
/// <param name="stage">Where a long prompt is read apart from the answers, after the step; null: nowhere.</param>
internal sealed class StepPlanner(int batchSize, DraftPlanner drafts, PromptStage? stage = null)
{
    // In a crowd halves of halves would be nothing at last.
    private const double StagesLeast = 1.0 / 32;

    private readonly List<EngineJob> _answers = [];
    private readonly List<EngineJob> _prompts = [];
    private readonly List<StepPart> _parts = [];

    /// <summary>Jobs that get their next token in the step that was planned last.</summary>
    public int Answers => _answers.Count;

    /// <summary>Guessed tokens in the step that was planned last.</summary>
    public int Guessed { get; private set; }

    /// <summary>Whether no prompt was read in the step that was planned last, nor is one after it: what it takes, answers take.</summary>
    public bool IsAnswersAlone { get; private set; }

    /// <summary>How long the stage reads after the step that was planned last; <see cref="TimeSpan.MaxValue"/>: nobody waits for it.</summary>
    public TimeSpan Slice { get; private set; }

    /// <summary>Fills <paramref name="batch"/> from the jobs that have a sequence.</summary>
    /// <param name="jobs">All of them.</param>
    /// <param name="batch">To fill.</param>
    /// <param name="pacing">Says how many tokens of prompts go beside answers.</param>
    /// <param name="mayGuess">False where there was no room for guessed tokens.</param>
    /// <returns>Its parts, without the one that the stage reads and those that are loading; valid until the next call.</returns>
    public IReadOnlyList<StepPart> Plan(IReadOnlyList<EngineJob> jobs, DecodeBatch batch, PromptPacing pacing, bool mayGuess = true)
    {
        batch.Clear();
        _parts.Clear();
        _answers.Clear();
        _prompts.Clear();
        foreach (EngineJob job in jobs)
        {
            if (job.IsLoading)
                continue;
            if (job.Pending == 1)
                _answers.Add(job);
            else if (job != stage?.Job)
                _prompts.Add(job);
        }
        bool isStaged = stage is { Job: not null };
        int waiting = _prompts.Count + (isStaged ? 1 : 0);
        int room = batchSize - Answers;
        IsAnswersAlone = waiting == 0 && Answers == jobs.Count;
        AddAnswers(batch, mayGuess && IsAnswersAlone ? drafts.Plan(_answers, room) : []);
        int paced = Answers == 0 ? room : pacing.Tokens(Answers, waiting);
        // The longest of them gets what the others leave; see below.
        double stagesShare = isStaged ? Math.Max(Math.Pow(0.5, _prompts.Count), StagesLeast) : 0;
        Slice = (isStaged, Answers) switch
        {
            (false, _) => TimeSpan.Zero,
            (true, 0) => TimeSpan.MaxValue,
            _ => stagesShare * pacing.Slice(Answers, waiting),
        };
        if (_prompts.Count > 0 && paced > 0)
            PlanPrompts(batch, Math.Min(room, Math.Max((int)((1 - stagesShare) * paced), _prompts.Count)));
        return _parts;
    }

    private void AddAnswers(DecodeBatch batch, ReadOnlySpan<int> guessed)
    {
        Guessed = 0;
        for (int i = 0; i < _answers.Count; i++)
        {
            int count = guessed.IsEmpty ? 0 : guessed[i];
            Add(batch, _answers[i], 1, count);
            Guessed += count;
        }
    }

    // Half of it for the shortest, half of the rest for the next, and so on: short prompts do not wait for long ones, prompts of one length end one after
    // the other instead of all at the last moment, and the longest comes on too.
    private void PlanPrompts(DecodeBatch batch, int budget)
    {
        _prompts.Sort((a, b) => a.Pending.CompareTo(b.Pending));
        for (int i = 0; i < _prompts.Count; i++)
        {
            int others = _prompts.Count - 1 - i;
            int share = others == 0 ? budget : Math.Clamp(budget - budget / 2, 1, budget - others);
            int count = Math.Min(_prompts[i].Pending, share);
            Add(batch, _prompts[i], count);
            budget -= count;
        }
    }

    private void Add(DecodeBatch batch, EngineJob job, int count, int guessed = 0)
    {
        bool isComplete = count == job.Pending;
        Sequence sequence = job.Sequence!;
        ReadOnlySpan<int> tokens = job.PendingTokens(count);
        int entry = -1;
        for (int i = 0; i < count; i++)
            entry = batch.Add(tokens[i], sequence.Length + i, sequence.Id, output: isComplete && i == count - 1);
        for (int i = 0; i < guessed; i++)
            batch.Add(job.Guess[i], sequence.Length + count + i, sequence.Id, output: true);
        _parts.Add(new StepPart(job, count, isComplete ? entry : -1, guessed));
    }
}
