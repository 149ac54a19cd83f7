using System.Net;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;
using OllamaMax.SignalR;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>
/// Everything that goes to one edge, one message at a time: at once for what cannot wait (a first token, an answer, an end),
/// otherwise what has come together over an interval, which grows while the service asks to slow down.
/// </summary>
internal sealed partial class EdgeOutbox : IAsyncDisposable
{
    /// <summary>To a local host's own surface, where a message costs nothing.</summary>
    private static readonly TimeSpan ShortestHere = TimeSpan.FromMilliseconds(20);

    /// <summary>To a service that counts messages.</summary>
    private static readonly TimeSpan ShortestAway = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes of output that a message takes. SignalR's bound is 1 MB; a sealed output is a third longer, and what is sent in small parts holds nobody up.</summary>
    private const int LargestOutput = 256 << 10;

    private readonly SignalRSender _sender;
    private readonly Func<WorkerMessage> _counters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<RunningAttempt> _attempts = [];
    private readonly List<GrantAnswer> _answers = [];
    private readonly List<Claim> _claims = [];
    private readonly WakeSignal _signal;
    private readonly WakeSignal _urgent;
    private readonly Task _loop;
    private readonly TimeSpan _shortest;
    private TimeSpan _interval;
    private int _largest = LargestOutput;
    private int _beat;

    /// <param name="counters">The worker's figures of the moment, without content.</param>
    public EdgeOutbox(ReplyCapability reply, SignalRSender sender, Func<WorkerMessage> counters, TimeProvider time, ILogger logger)
    {
        Reply = reply;
        _interval = _shortest = Uri.TryCreate(reply.Url, UriKind.Absolute, out Uri? url) && url.IsLoopback ? ShortestHere : ShortestAway;
        _sender = sender;
        _counters = counters;
        _time = time;
        _signal = new WakeSignal(time);
        _urgent = new WakeSignal(time);
        _logger = logger;
        _loop = Task.Run(() => SendLoopAsync(_stop.Token));
    }

    /// <summary>The newest leave to send there.</summary>
    public ReplyCapability Reply { get; private set; }

    /// <summary>No attempt runs whose output goes there.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
                return _attempts.Count == 0;
        }
    }

    public void Renew(ReplyCapability reply)
    {
        if (reply.ExpiresAt > Reply.ExpiresAt)
            Reply = reply;
    }

    public void Add(RunningAttempt attempt)
    {
        lock (_lock)
            _attempts.Add(attempt);
    }

    public void Remove(RunningAttempt attempt)
    {
        lock (_lock)
            _attempts.Remove(attempt);
    }

    public void Answer(GrantAnswer answer)
    {
        lock (_lock)
            _answers.Add(answer);
        Signal(urgent: true);
    }

    public void Claim(Claim claim)
    {
        lock (_lock)
            _claims.Add(claim);
        Signal(urgent: true);
    }

    /// <summary>Says that its attempts are alive, output or not.</summary>
    public void Beat()
    {
        lock (_lock)
        {
            if (_attempts.Count == 0)
                return;
        }
        Interlocked.Exchange(ref _beat, 1);
        Signal(urgent: false);
    }

    /// <summary>Says at once how many slots are free, where no output will say it.</summary>
    public void TellSlots()
    {
        Interlocked.Exchange(ref _beat, 1);
        Signal(urgent: true);
    }

    /// <summary>There is something to send. Never blocks: the decode thread calls it.</summary>
    public void Signal(bool urgent)
    {
        _signal.Set();
        if (urgent)
            _urgent.Set();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task SendLoopAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await _signal.WaitAsync(Timeout.InfiniteTimeSpan, stopping);
                _urgent.TryTake();
                if (Collect() is { } message)
                    await SendAsync(message, stopping);
                // What comes in the meantime goes together, unless it cannot wait.
                if (await _urgent.WaitAsync(_interval, stopping))
                    _signal.Set();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private WorkerMessage? Collect()
    {
        TimeSpan now = _time.Elapsed();
        bool beat = Interlocked.Exchange(ref _beat, 0) == 1;
        lock (_lock)
        {
            List<AttemptOutput> outputs = CollectOutputs_NeedsLock(now);
            if (!beat && outputs.Count == 0 && _answers.Count == 0 && _claims.Count == 0)
                return null;
            WorkerMessage message = _counters() with
            {
                Answers = [.. _answers],
                Claims = [.. _claims],
                Outputs = outputs,
                Alive = beat ? [.. _attempts.Select(attempt => new LiveAttempt(attempt.JobId, attempt.Nonce, attempt.Engine?.Steps))] : [],
            };
            _answers.Clear();
            _claims.Clear();
            return message;
        }
    }

    private List<AttemptOutput> CollectOutputs_NeedsLock(TimeSpan now)
    {
        MessageRoom room = new(_largest);
        List<AttemptOutput> outputs = [];
        int served = 0;
        foreach (RunningAttempt attempt in _attempts)
        {
            Chunk? chunk = attempt.Output.Collect(now, room);
            if (chunk is not null)
                outputs.Add(new AttemptOutput(attempt.JobId, attempt.Nonce, chunk) { Seal = attempt.Seal });
            if (chunk is not null || !room.IsFull)
                served++;
            if (room.IsFull)
                break;
        }
        if (room.IsFull)
        {
            // Whoever had no turn comes first in the next message.
            _attempts.AddRange(_attempts[..served]);
            _attempts.RemoveRange(0, served);
            Signal(urgent: true);
        }
        return outputs;
    }

    private async Task SendAsync(WorkerMessage message, CancellationToken stopping)
    {
        SendOutcome outcome = await _sender.SendAsync(Reply, Targets.Output, Sealed(message), ProtocolJson.Default.WorkerMessage, stopping);
        switch (outcome)
        {
            case SendOutcome.Sent:
                _interval = Max(_shortest, _interval * 0.9);
                break;
            case SendOutcome.Throttled(var retryAfter):
                _interval = Min(Longest, _interval * 2);
                LogThrottled(_interval.TotalMilliseconds);
                SendAgain(message);
                await Task.Delay(Min(retryAfter, Longest), _time, stopping);
                break;
            default:
                if (outcome is SendOutcome.Failed { Status: HttpStatusCode.RequestEntityTooLarge })
                    _largest = Math.Max(1, _largest / 2);
                LogNotSent(outcome);
                // Where the service does not know this leave, it never will. What was asked and answered is by the ledger again, in its own time, and by nobody where that edge is gone.
                SendAgain(IsRefused(outcome) ? message with { Answers = [], Claims = [] } : message);
                await Task.Delay(Longest, _time, stopping);
                break;
        }
    }

    /// <summary>The message as it is to be sent; each time anew, as what was not taken goes with another.</summary>
    private static WorkerMessage Sealed(WorkerMessage message) => message.Outputs.All(output => output.Seal is null)
        ? message
        : message with
        {
            Outputs = [.. message.Outputs.Where(output => output.Seal is null)],
            Sealed = [.. message.Outputs.Select(SealedMessages.Seal).OfType<SealedOutput>()],
        };

    private static bool IsRefused(SendOutcome outcome) =>
        outcome is SendOutcome.Failed { Status: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound };

    /// <summary>Puts the content of a message that was not taken back, to go with the next one.</summary>
    private void SendAgain(WorkerMessage message)
    {
        lock (_lock)
        {
            _answers.InsertRange(0, message.Answers);
            _claims.InsertRange(0, message.Claims);
            foreach (AttemptOutput output in message.Outputs)
                _attempts.Find(attempt => attempt.Nonce == output.Nonce)?.Output.NotSent(output.Chunk);
        }
        Signal(urgent: false);
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    [LoggerMessage(Level = LogLevel.Debug, Message = "SignalR asks to slow down; sending every {Milliseconds:0} ms")]
    private partial void LogThrottled(double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message to the edge was not sent: {Outcome}")]
    private partial void LogNotSent(SendOutcome outcome);
}
