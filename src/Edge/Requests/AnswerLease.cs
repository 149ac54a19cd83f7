using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>A client's interest in a job's output. Disposed when the client has it all, or left.</summary>
/// <param name="log">What to read.</param>
/// <param name="isReplay">Whether another request had started it.</param>
/// <param name="release">Called once.</param>
internal sealed class AnswerLease(JobOutputLog log, bool isReplay, Action release) : IDisposable
{
    private Action? _release = release;

    public JobOutputLog Log => log;

    public bool IsReplay => isReplay;

    /// <summary>The own name of the model that answers; null where nobody has said it.</summary>
    public string? Model { get; init; }

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
