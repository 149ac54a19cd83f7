using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Webhooks;

/// <summary>
/// Tells operators by webhook what they must know. Each edge tells what it finds out itself, once in a while for each thing. What is not told yet is kept in storage (<see cref="NoticeOutbox"/>), and an address that
/// does not answer holds up no other. Alerts on metrics (ops/alerts) do not depend on any of this.
/// </summary>
internal sealed partial class OperatorNotices : BackgroundService
{
    private const int MostWaiting = 1000;
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Type, string Subject), long> _told = [];
    private readonly Channel<Notice> _found = Channel.CreateBounded<Notice>(MostWaiting);
    private readonly Dictionary<string, (string Url, Channel<PendingNotice> Waiting)> _targets;
    private readonly ConcurrentDictionary<(string Target, string Id), PendingNotice> _pending = [];
    private readonly WebhookOptions _options;
    private readonly EdgeIdentity _edge;
    private readonly WebhookSender _sender;
    private readonly NoticeOutbox _outbox;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public OperatorNotices(
        IOptions<WebhookOptions> options, EdgeIdentity edge, WebhookSender sender, NoticeOutbox outbox, TimeProvider time, ILogger<OperatorNotices> logger)
    {
        (_options, _edge, _sender, _outbox, _time, _logger) = (options.Value, edge, sender, outbox, time, logger);
        _targets = _options.Urls.Distinct().ToDictionary(NoticeOutbox.TargetOf, url => (url, Channel.CreateBounded<PendingNotice>(MostWaiting)));
    }

    /// <summary>Somebody is to be told.</summary>
    public bool IsOn => _targets.Count > 0;

    /// <summary>Never waits, and does nothing where nobody is to be told, or was told not long ago.</summary>
    /// <param name="type">One of <see cref="NoticeTypes"/>.</param>
    /// <param name="subject">What it is about; together they are what is not told again for a while.</param>
    /// <param name="text">For people; no prompt and no key.</param>
    public void Tell(string type, string subject, string text)
    {
        if (!IsOn || !IsNew(type, subject))
            return;
        if (!_found.Writer.TryWrite(new($"notice_{Guid.NewGuid():n}", type, _time.GetUtcNow().UtcDateTime, subject, text, _edge.Id)))
            LogDropped(type, subject);
    }

    /// <summary>Goes on with what another edge has left.</summary>
    public async Task ResumeAsync(PendingNotice left, CancellationToken cancellationToken)
    {
        if (!_targets.ContainsKey(left.Target))
        {
            LogNobody(left.Notice.Type, left.Notice.Subject);
            await _outbox.DropAsync(left, cancellationToken);
        }
        else if (_pending.TryGetValue((left.Target, left.Notice.Id), out PendingNotice? own))
        {
            // It has waited here for so long that it showed: this is the way to it now.
            own.Hold = left.Hold;
        }
        else
        {
            Queue(left);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll([KeepAllAsync(stoppingToken), .. _targets.Values.Select((target, number) => SendAllAsync(number + 1, target.Url, target.Waiting.Reader, stoppingToken))]);
        await Task.WhenAll(_pending.Values.Select(_outbox.LeaveAsync));
    }

    private async Task KeepAllAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (Notice notice in _found.Reader.ReadAllAsync(stopping))
            {
                foreach (string target in _targets.Keys)
                    Queue(await _outbox.KeepAsync(target, notice, stopping));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private void Queue(PendingNotice pending)
    {
        _pending[(pending.Target, pending.Notice.Id)] = pending;
        if (_targets[pending.Target].Waiting.Writer.TryWrite(pending))
            return;
        // In storage it shows again after a while, if storage has it.
        _pending.TryRemove((pending.Target, pending.Notice.Id), out _);
        LogDropped(pending.Notice.Type, pending.Notice.Subject);
    }

    private bool IsNew(string type, string subject)
    {
        lock (_lock)
        {
            if (_told.TryGetValue((type, subject), out long at) && !IsOld(at))
                return false;
            if (_told.Count >= MostRemembered)
            {
                foreach (var (key, _) in _told.Where(told => IsOld(told.Value)).ToList())
                    _told.Remove(key);
            }
            // So many at once are a flood, of which one hears in any case.
            if (_told.Count >= MostRemembered)
                return false;
            _told[(type, subject)] = _time.GetTimestamp();
            return true;
        }
    }

    private bool IsOld(long at) => _time.GetElapsedTime(at) >= _options.RepeatAfter;

    private async Task SendAllAsync(int number, string url, ChannelReader<PendingNotice> waiting, CancellationToken stopping)
    {
        try
        {
            await foreach (PendingNotice pending in waiting.ReadAllAsync(stopping))
            {
                await SendAsync(number, url, pending, stopping);
                _pending.TryRemove((pending.Target, pending.Notice.Id), out _);
                // Told is told, also where the edge ends at this moment.
                await _outbox.DropAsync(pending, CancellationToken.None);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task SendAsync(int number, string url, PendingNotice pending, CancellationToken stopping)
    {
        TimeSpan wait = FirstWait;
        Notice notice = pending.Notice;
        for (int tries = 1; await _sender.TrySendAsync(url, notice, stopping) is { } failure; tries++)
        {
            if (tries >= _options.Tries)
            {
                LogGivenUp(notice.Type, notice.Subject, number, tries, failure);
                return;
            }
            await _outbox.HoldAsync(pending, wait, stopping);
            await Task.Delay(wait, _time, stopping);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Type} of {Subject} was left by another edge for an address that is not configured any more; nobody is told")]
    private partial void LogNobody(string type, string subject);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Too much waits to be told by webhook; not told: {Type} of {Subject}")]
    private partial void LogDropped(string type, string subject);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Type} of {Subject} could not be told by webhook {Number}, tried {Tries} times: {Reason}")]
    private partial void LogGivenUp(string type, string subject, int number, int tries, string reason);
}
