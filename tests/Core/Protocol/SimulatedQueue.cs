using OllamaMax.Streaming;

namespace OllamaMax.Core.Tests.Protocol;

/// <summary>
/// A storage queue: a message that is taken comes back unless it is deleted with its newest receipt. In bad weather a put that is repeated, as its
/// answer was lost, leaves a second message that nobody knows of.
/// </summary>
internal sealed class SimulatedQueue(Weather weather, Random random)
{
    private static readonly TimeSpan Visibility = TimeSpan.FromSeconds(10);

    private readonly List<Message> _messages = [];
    private int _ids;

    public int Count => _messages.Count;

    public (string Id, string Receipt) Put(QueuedJob job, TimeSpan now)
    {
        Message message = Add(job, now);
        if (now < Weather.Lasts && random.NextDouble() < weather.Double)
            Add(job, now);
        return (message.Id, message.Receipt);
    }

    public (QueuedJob Job, Claim Claim)? Take(TimeSpan now)
    {
        if (_messages.Find(message => message.VisibleAt <= now) is not { } taken)
            return null;
        taken.VisibleAt = now + Visibility;
        taken.Receipt = $"r{++_ids}";
        return (taken.Job, new Claim(taken.Job.JobId, taken.Job.Model, taken.Job.Band, taken.Id, taken.Receipt));
    }

    /// <summary>A stale receipt deletes nothing.</summary>
    public void Delete(string id, string receipt) => _messages.RemoveAll(message => message.Id == id && message.Receipt == receipt);

    private Message Add(QueuedJob job, TimeSpan now)
    {
        Message message = new(job, $"m{++_ids}") { Receipt = $"r{++_ids}", VisibleAt = now };
        _messages.Add(message);
        return message;
    }

    private sealed class Message(QueuedJob job, string id)
    {
        public QueuedJob Job => job;

        public string Id => id;

        public required string Receipt { get; set; }

        public required TimeSpan VisibleAt { get; set; }
    }
}
