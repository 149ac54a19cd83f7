namespace OllamaMax.Bench.Placement;

/// <summary>
/// A worker that reads prompts and generates answers in its slots. Prompts that are read at one time share its speed of reading. Answers slow each other down a
/// little, as a batch does; as a share of reading and generating side by side nothing is taken off.
/// </summary>
/// <param name="slots">Jobs at once.</param>
/// <param name="speed">Tokens a second of an answer that is alone.</param>
internal sealed class SimulatedWorker(string id, int slots, double speed, VirtualTime time)
{
    /// <summary>What each further answer costs each: 8 together are 3.9 times as fast as one.</summary>
    private const double Company = 0.15;

    /// <summary>Prompt tokens are read in large batches.</summary>
    private const double ReadingToGenerating = 50;

    private const int ContextPerSlot = 8192;
    private const double Nothing = 0.001;

    private readonly List<SimulatedJob> _running = [];
    private readonly PrefixMemory _memory = new(slots * ContextPerSlot);
    private TimeSpan _at;
    private int _plan;
    private int _reading;
    private double _generated;
    private double _jobSeconds;

    public string Id => id;

    public int Slots => slots;

    /// <summary>Slots held for jobs that are being claimed.</summary>
    public int Held { get; set; }

    public int Used => _running.Count + Held;

    /// <summary>It was told to look into the queue, and has not found it empty since.</summary>
    public bool KnowsQueue { get; set; }

    /// <summary>Slots in use, in seconds.</summary>
    public double BusySeconds { get; private set; }

    /// <summary>Called when a job has ended and its slot is free.</summary>
    public Action<SimulatedJob>? Ended { get; set; }

    public bool TryStart(SimulatedJob job)
    {
        if (Used >= slots)
            return false;
        Advance();
        job.WarmTokens = _memory.Known(job, _running);
        _memory.Take(job);
        job.Left = job.PromptTokens - job.WarmTokens;
        job.IsReading = true;
        job.StartedAt = time.Now;
        _reading++;
        _running.Add(job);
        Plan();
        return true;
    }

    /// <summary>Tokens a second of one job since this was last asked; null where none ran.</summary>
    public double? MeasureSpeed()
    {
        Advance();
        double? measured = _generated > 0 ? Math.Round(_generated / _jobSeconds, 1) : null;
        _generated = _jobSeconds = 0;
        return measured;
    }

    private double RateOf(SimulatedJob job) => job.IsReading
        ? speed * ReadingToGenerating / _reading
        : speed / (1 + (Company * (_running.Count - _reading - 1)));

    private void Advance()
    {
        double passed = (time.Now - _at).TotalSeconds;
        _at = time.Now;
        foreach (SimulatedJob job in _running)
        {
            double done = passed * RateOf(job);
            job.Left -= done;
            _generated += job.IsReading ? 0 : done;
        }
        _jobSeconds += passed * _running.Count;
        BusySeconds += passed * _running.Count;
    }

    /// <summary>Has the next thing happen that will, if nothing comes in between.</summary>
    private void Plan()
    {
        int plan = ++_plan;
        if (_running.Count > 0)
            time.After(TimeSpan.FromSeconds(Math.Max(0, _running.Min(job => job.Left / RateOf(job)))), () => Step(plan));
    }

    private void Step(int plan)
    {
        if (plan != _plan)
            return;
        Advance();
        SimulatedJob[] due = [.. _running.Where(job => job.Left <= Nothing)];
        foreach (SimulatedJob job in due)
        {
            if (job.IsReading)
                BeginAnswer(job);
            else
                End(job);
        }
        Plan();
        foreach (SimulatedJob job in due.Where(job => job.HasEnded))
            Ended!(job);
    }

    private void BeginAnswer(SimulatedJob job)
    {
        _reading--;
        job.IsReading = false;
        job.Left = job.AnswerTokens;
        job.FirstTokenAt = time.Now;
    }

    private void End(SimulatedJob job)
    {
        _running.Remove(job);
        _memory.Keep(job);
        job.HasEnded = true;
    }
}
