using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>
/// What this worker may do at the moment. Enrols where that is needed, renews at half of the capabilities' life, and at once when
/// the worker needs the queues of another model.
/// </summary>
internal sealed partial class Capabilities(
    WorkerIdentity identity, EdgeClient edge, IOptions<WorkerOptions> options, TimeProvider time, ILogger<Capabilities> logger) : IDisposable
{
    private static readonly TimeSpan RetryShortest = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryLongest = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _renewing = new(1);
    private volatile WorkerCapabilities? _current;
    private volatile IReadOnlyList<string> _models = [];

    public string WorkerId => identity.Id ?? throw new InvalidOperationException("the worker is not enrolled yet");

    public WorkerCapabilities Current => _current ?? throw new InvalidOperationException("the worker is not enrolled yet");

    /// <summary>Gets the first capabilities, as often as it takes.</summary>
    /// <exception cref="EnrolmentException">The edge refused.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => UntilReachedAsync(RenewAsync, cancellationToken);

    /// <summary>Calls the edge as often as it takes: a worker that starts does not end because its edge restarts at that moment.</summary>
    /// <exception cref="EnrolmentException">The edge refused.</exception>
    public async Task UntilReachedAsync(Func<CancellationToken, Task> call, CancellationToken cancellationToken)
    {
        TimeSpan wait = RetryShortest;
        while (true)
        {
            try
            {
                await call(cancellationToken);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                LogUnreachable(options.Value.Edge, e.Message, wait.TotalSeconds);
                await Task.Delay(wait, time, cancellationToken);
                wait = wait * 2 < RetryLongest ? wait * 2 : RetryLongest;
            }
        }
    }

    /// <summary>Keeps the capabilities fresh until it is cancelled.</summary>
    /// <exception cref="EnrolmentException">The worker is no longer welcome.</exception>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan left = Current.ExpiresAt - time.GetUtcNow();
            await Task.Delay(left / 2 > TimeSpan.FromSeconds(1) ? left / 2 : TimeSpan.FromSeconds(1), time, cancellationToken);
            await UntilReachedAsync(RenewAsync, cancellationToken);
        }
    }

    /// <summary>Names the models whose queues are needed, those that matter most first; renews when one is new.</summary>
    public async Task NeedQueuesOfAsync(IEnumerable<string> models, CancellationToken cancellationToken)
    {
        _models = [.. models.Take(CapabilityRequest.MostModels)];
        HashSet<string> known = [.. Current.Queues.Select(queue => queue.Model)];
        if (_models.All(known.Contains))
            return;
        await RenewAsync(cancellationToken);
    }

    public Negotiation Negotiation => new(Current.SignalRUrl, Current.SignalRToken);

    /// <summary>As <see cref="Negotiation"/>, renewed first when the token is about to expire.</summary>
    public async ValueTask<Negotiation> NegotiateAsync(CancellationToken cancellationToken)
    {
        if (Current.ExpiresAt - time.GetUtcNow() < TimeSpan.FromSeconds(30))
            await RenewAsync(cancellationToken);
        return Negotiation;
    }

    public void Dispose() => _renewing.Dispose();

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        await _renewing.WaitAsync(cancellationToken);
        try
        {
            _current = identity.Id is null
                ? await EnrolAsync(cancellationToken)
                : await RenewOrEnrolAsync(cancellationToken);
        }
        finally
        {
            _renewing.Release();
        }
    }

    private async Task<WorkerCapabilities> RenewOrEnrolAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await edge.RenewAsync(identity, new CapabilityRequest(ProtocolVersion.Current, _models), cancellationToken);
        }
        catch (EnrolmentException e) when (_current is null && options.Value.JoinToken is not null)
        {
            // The cluster does not know this identity, such as after its storage was set up anew; a join token says that it may come in.
            LogUnknown(identity.Id!, e.Message);
            return await EnrolAsync(cancellationToken);
        }
    }

    private async Task<WorkerCapabilities> EnrolAsync(CancellationToken cancellationToken)
    {
        string token = options.Value.JoinToken
            ?? throw new EnrolmentException("this box is not enrolled: a join token is needed (POST /cluster/join-tokens makes one)");
        var request = new EnrolmentRequest(ProtocolVersion.Current, options.Value.Name, identity.PublicKey);
        WorkerCapabilities capabilities = await edge.EnrolAsync(token, request, cancellationToken);
        identity.Enrolled(capabilities.WorkerId);
        LogEnrolled(capabilities.WorkerId);
        return capabilities;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Enrolled as {Worker}")]
    private partial void LogEnrolled(string worker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The edge does not know worker {Worker} ({Reason}); enrolling anew")]
    private partial void LogUnknown(string worker, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The edge at {Edge} cannot be reached ({Reason}); trying again in {Seconds:0.#} s")]
    private partial void LogUnreachable(Uri edge, string reason, double seconds);
}
