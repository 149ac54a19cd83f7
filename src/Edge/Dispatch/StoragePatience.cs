using Azure;
using Microsoft.Extensions.Logging;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// For how long storage is waited for while a client waits. Storage that hangs neither answers nor refuses, so whoever asks first pays for finding that out. From then
/// on each one tries for a moment only, and who waits already waits no longer than that; the first that is answered ends it, so nobody has to look whether storage is back.
/// </summary>
internal sealed partial class StoragePatience(TimeProvider time, ILogger<StoragePatience> logger)
{
    /// <summary>
    /// Longer than hiccups, which storage's client gets over by its own repetitions. Shorter than it takes until headers leave: after them an error is less clear than a status.
    /// </summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan WhileSilent = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Of what takes many requests, and of what no client waits for: by that storage that is only slow is found to be there, which it would not be by trials of a moment.
    /// </summary>
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly HashSet<CancellationTokenSource> _waiting = [];
    private bool _isSilent;

    /// <summary>Asks storage. What comes without a wait was known without asking, and proves nothing.</summary>
    /// <param name="ask">Heeds its token; ends with it when patience does.</param>
    /// <param name="cancellationToken">Ends the wait, which says nothing about storage either.</param>
    /// <param name="usual">While storage is not known to be silent; null: <see cref="Usual"/>.</param>
    /// <exception cref="RequestFailedException">No answer in time (status 0), or storage refused.</exception>
    public async Task<T> WaitAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken, TimeSpan? usual = null)
    {
        using CancellationTokenSource limit = Begin(usual ?? Usual);
        try
        {
            return await WaitAsync(ask, limit, cancellationToken);
        }
        finally
        {
            lock (_lock)
                _waiting.Remove(limit);
        }
    }

    /// <summary>The same where no client waits in particular, or it waits with a patience of its own.</summary>
    /// <exception cref="RequestFailedException">As above.</exception>
    public async Task<T> WaitBesideAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = new(Long, time);
        return await WaitAsync(ask, limit, cancellationToken);
    }

    private async Task<T> WaitAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            Task<T> answer = ask(either.Token);
            bool wasKnown = answer.IsCompleted;
            T result = await answer;
            if (!wasKnown)
                Answered();
            return result;
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            FellSilent();
            throw new RequestFailedException("storage does not answer", e);
        }
        catch (RequestFailedException e) when (e.Status != 0)
        {
            Answered();
            throw;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            FellSilent();
            throw;
        }
    }

    private CancellationTokenSource Begin(TimeSpan usual)
    {
        lock (_lock)
        {
            CancellationTokenSource limit = new(_isSilent ? WhileSilent : usual, time);
            _waiting.Add(limit);
            return limit;
        }
    }

    private void Answered()
    {
        lock (_lock)
        {
            if (!_isSilent)
                return;
            _isSilent = false;
        }
        LogAnswers();
    }

    private void FellSilent()
    {
        lock (_lock)
        {
            // Once: each further one that gives up would put off the end of those that wait.
            if (_isSilent)
                return;
            _isSilent = true;
            foreach (CancellationTokenSource limit in _waiting)
                limit.CancelAfter(WhileSilent);
        }
        LogSilent(WhileSilent.TotalSeconds);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Storage does not answer: until it does, what needs it is refused after {Seconds} s")]
    private partial void LogSilent(double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Storage answers again")]
    private partial void LogAnswers();
}
