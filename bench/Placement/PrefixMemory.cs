namespace OllamaMax.Bench.Placement;

/// <summary>
/// What a worker has read and not forgotten, as the engine's table of sequences keeps it: a conversation whole, and with it the system prompt that it shares with
/// others; what was unused for longest makes way. Here equal beginnings take memory each time, which they do not there.
/// </summary>
/// <param name="capacity">Tokens.</param>
internal sealed class PrefixMemory(int capacity)
{
    // The one unused for longest first.
    private readonly List<Kept> _kept = [];
    private int _tokens;

    /// <summary>Tokens of the job's prompt that are known; at least its last one has to be read in any case.</summary>
    public int Known(SimulatedJob job, IEnumerable<SimulatedJob> running)
    {
        Conversation conversation = job.Conversation;
        int known = 0;
        foreach (Kept kept in _kept)
            known = Math.Max(known, conversation.CommonWith(kept.Conversation, kept.Tokens));
        foreach (SimulatedJob other in running)
        {
            if (!other.IsReading)
                known = Math.Max(known, conversation.CommonWith(other.Conversation, other.PromptTokens));
        }
        return Math.Min(known, job.PromptTokens - 1);
    }

    /// <summary>A job is about to run: it takes its conversation over, and others make room.</summary>
    public void Take(SimulatedJob job)
    {
        int index = _kept.FindIndex(kept => kept.Conversation == job.Conversation);
        if (index >= 0)
            Forget(index);
        _tokens += Size(job);
        while (_tokens > capacity && _kept.Count > 0)
            Forget(0);
    }

    public void Keep(SimulatedJob job) => _kept.Add(new(job.Conversation, Size(job)));

    private static int Size(SimulatedJob job) => job.PromptTokens + job.AnswerTokens;

    private void Forget(int index)
    {
        _tokens -= _kept[index].Tokens;
        _kept.RemoveAt(index);
    }

    private readonly record struct Kept(Conversation Conversation, int Tokens);
}
