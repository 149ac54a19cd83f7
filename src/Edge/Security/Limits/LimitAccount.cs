using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Limits;

/// <summary>
/// What this edge has let a key, a user or a tenant use. The truth is shared by all edges (<see cref="SharedUse"/>); an edge takes some of the minute's requests from it in
/// advance, more while they come fast, at most an eighth of what is left, and lets in what it has taken without asking again. So together edges never let in more than the
/// limit, and at most what lies at idle ones for a second is missing. Tokens and what is under way are told with the next taking, or by the flush.
/// </summary>
/// <param name="subject">Whose.</param>
/// <param name="edge">This edge's id.</param>
internal sealed class LimitAccount(string subject, string edge, UseStore store, TimeProvider time) : IDisposable
{
    /// <summary>So old may be what an edge knows of what others have let in.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan TokensAreToldWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RunningIsRepeatedAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan SlotRetry = TimeSpan.FromSeconds(1);
    private const int MostAhead = 1024;
    private const int ShareOfRest = 8;

    /// <summary>Writers that get in between, each once: more than there ever are at a time.</summary>
    private const int MostTries = 50;

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private StoredUse? _shared;

    /// <summary>Tried, and not known to have arrived.</summary>
    private Attempt? _inDoubt;

    private long? _settledAt;
    private long _admittedAt = time.GetTimestamp();
    private long _minute;
    private int _ahead;
    private int _ask = 1;
    private long _tokens;
    private int _running;
    private int _runningTold;

    private bool IsFresh => _shared is not null && _settledAt is { } at && time.GetElapsedTime(at) < Fresh;

    /// <summary>How many are under way, where storage was ever told.</summary>
    private int Told => _runningTold > 0 ? Volatile.Read(ref _running) : 0;

    /// <summary>Nothing is left to be told, and nobody has come for long.</summary>
    public bool IsIdle(TimeSpan forLong) =>
        Volatile.Read(ref _running) == 0 && _runningTold == 0 && Volatile.Read(ref _tokens) == 0 && _ahead == 0 && time.GetElapsedTime(_admittedAt) > forLong;

    /// <summary>Lets a request in, which counts as under way until <see cref="Leave"/>; or says why not.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async ValueTask<Admission> AdmitAsync(UsageLimits limits, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            _admittedAt = time.GetTimestamp();
            BeginMinute(now);
            bool isFresh = IsFresh;
            LimitRefusal? refusal;
            if (isFresh && _shared!.Use.OutOfTokens(limits, Volatile.Read(ref _tokens), now) is { } outOfTokens)
                refusal = outOfTokens;
            else if (isFresh && limits.RequestsPerMinute is not null && _ahead == 0 && _shared!.Use.RequestsLeft(limits, now) == 0)
                refusal = OutOfRequests(limits, now);
            else if (isFresh && limits.Concurrent is null && (limits.RequestsPerMinute is null || _ahead > 0))
                refusal = null;
            else
                refusal = await SettleAsync(limits, isFresh, now, cancellationToken);
            if (refusal is null)
            {
                if (limits.RequestsPerMinute is not null)
                    _ahead--;
                Interlocked.Increment(ref _running);
            }
            return new(refusal, RequestsOf(limits, now), TokensOf(limits, now));
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>The limit of tokens that is used up; null: none is. Nothing is let in by it.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async ValueTask<LimitRefusal?> OutOfTokensAsync(UsageLimits limits, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            if (!IsFresh)
                await WriteAsync(_ => 0, () => Told, now, cancellationToken);
            return _shared!.Use.OutOfTokens(limits, Volatile.Read(ref _tokens), now);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>The request has been answered.</summary>
    public void Leave() => Interlocked.Decrement(ref _running);

    /// <summary>It was let in, and then another limit did not let it in.</summary>
    public async ValueTask UndoAsync(UsageLimits limits)
    {
        Leave();
        if (limits.RequestsPerMinute is null)
            return;
        await _oneAtATime.WaitAsync(CancellationToken.None);
        if (_minute == WindowCount.MinuteOf(time.GetUtcNow()))
            _ahead++;
        _oneAtATime.Release();
    }

    public void Spend(long tokens) => Interlocked.Add(ref _tokens, tokens);

    /// <summary>Tells what has been waiting for long enough, and gives back what nobody has come for. Costs nothing where there is neither.</summary>
    /// <param name="all">Whatever has not been told yet, at once.</param>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached: later again.</exception>
    public async Task FlushAsync(bool all, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            BeginMinute(now);
            TimeSpan since = _settledAt is { } at ? time.GetElapsedTime(at) : TimeSpan.MaxValue;
            bool givesBack = _ahead > 0 && (all || time.GetElapsedTime(_admittedAt) >= Fresh);
            int running = Volatile.Read(ref _running);
            bool isDue = givesBack
                || (Volatile.Read(ref _tokens) != 0 && (all || since >= TokensAreToldWithin))
                || (_runningTold > 0 && ((running < _runningTold && (all || since >= Fresh)) || since >= RunningIsRepeatedAfter));
            if (isDue)
                await WriteAsync(_ => givesBack ? -_ahead : 0, () => Told, now, cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>What was taken in advance is of its minute only.</summary>
    private void BeginMinute(DateTimeOffset now)
    {
        long minute = WindowCount.MinuteOf(now);
        if (minute != _minute)
            (_minute, _ahead) = (minute, 0);
    }

    /// <summary>Takes requests where there are none left, and says what is under way with this one; null where it may be let in.</summary>
    private async Task<LimitRefusal?> SettleAsync(UsageLimits limits, bool isFresh, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Used up within a second: they come fast.
        _ask = isFresh ? Math.Min(_ask * 2, MostAhead) : 1;
        int running = limits.Concurrent is null ? 0 : Volatile.Read(ref _running) + 1;
        LimitRefusal? refusal = null;
        await WriteAsync(
            use =>
            {
                refusal = use.OutOfTokens(limits, Volatile.Read(ref _tokens), now)
                    ?? (_ahead == 0 && use.RequestsLeft(limits, now) == 0 ? OutOfRequests(limits, now) : null)
                    ?? (running > 0 && running + use.RunningElsewhere(edge, now) > limits.Concurrent ? new LimitRefusal($"{limits.Concurrent} requests at a time", SlotRetry) : null);
                return refusal is null && limits.RequestsPerMinute is not null && _ahead == 0 ? Share(use.RequestsLeft(limits, now)) : 0;
            },
            running: () => refusal is null ? running : Math.Max(0, running - 1),
            now,
            cancellationToken);
        return refusal;
    }

    private int Share(long left) => (int)Math.Clamp(Math.Min(_ask, (left + ShareOfRest - 1) / ShareOfRest), 1, left);

    /// <param name="take">How many of the minute's requests; negative: they are given back.</param>
    /// <param name="running">How many are under way; asked after <paramref name="take"/>.</param>
    private async Task WriteAsync(Func<SharedUse, int> take, Func<int> running, DateTimeOffset now, CancellationToken cancellationToken)
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            // What was known before is tried first: where nobody else has written since, one operation does.
            _shared ??= await store.ReadAsync(subject, cancellationToken);
            // Its answer was lost: the one before this was taken, or this one, which storage's client has repeated.
            if (_inDoubt is { } before && _shared.Use.IsWrittenBy(edge, before.Mark))
            {
                Arrived(_shared, before);
                if (tries > 0)
                    return;
            }
            int taken = take(_shared.Use);
            Attempt attempt = new(Guid.NewGuid().ToString("n"), WindowCount.MinuteOf(now), taken, Volatile.Read(ref _tokens), running());
            SharedUse next = _shared.Use.Take(taken, now).Spend(attempt.Tokens, now).Answering(edge, attempt.Answering, now).WrittenBy(edge, attempt.Mark, now);
            StoredUse old = _shared;
            (_shared, _inDoubt) = (null, attempt);
            if (await store.WriteAsync(subject, old, next, cancellationToken) is { } written)
            {
                Arrived(written, attempt);
                return;
            }
        }
        throw new InvalidOperationException($"what {subject} has used was changed by others {MostTries} times in a row");
    }

    private void Arrived(StoredUse shared, Attempt attempt)
    {
        Interlocked.Add(ref _tokens, -attempt.Tokens);
        if (attempt.Minute == _minute)
            _ahead = Math.Max(0, _ahead + attempt.Taken);
        (_shared, _settledAt, _runningTold, _inDoubt) = (shared, time.GetTimestamp(), attempt.Answering, null);
    }

    private static LimitRefusal OutOfRequests(UsageLimits limits, DateTimeOffset now) =>
        new($"{limits.RequestsPerMinute} requests per minute", WindowCount.LeftOfMinute(now));

    private Allowance? RequestsOf(UsageLimits limits, DateTimeOffset now) => limits.RequestsPerMinute is { } most
        ? new(most, (_shared?.Use.RequestsLeft(limits, now) ?? 0) + _ahead, WindowCount.LeftOfMinute(now))
        : null;

    private Allowance? TokensOf(UsageLimits limits, DateTimeOffset now) => limits.TokensPerMinute is { } most
        ? new(most, Math.Max(0, most - (_shared?.Use.MinuteTokens.In(WindowCount.MinuteOf(now)) ?? 0) - Volatile.Read(ref _tokens)), WindowCount.LeftOfMinute(now))
        : null;

    /// <summary>What a write tells.</summary>
    /// <param name="Mark">Its own.</param>
    /// <param name="Minute">Of which requests were taken.</param>
    /// <param name="Taken">Negative: given back.</param>
    /// <param name="Answering">How many it says are under way here.</param>
    private sealed record Attempt(string Mark, long Minute, int Taken, long Tokens, int Answering);
}
