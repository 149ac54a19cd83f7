using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Models;
using OllamaMax.Orchestrations;
using OllamaMax.Orchestrations.Pulls;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>Pulls that go on without anybody who follows them, whatever happens to servers; each is an orchestration. Equal ones are one.</summary>
internal sealed class DurablePulls(TaskHubs hubs, ActivePulls pulls, PullEnds ends)
{
    private const string IdPrefix = "pull-";

    /// <summary>For so long the outcome can be seen.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private static readonly OrchestrationQuery All = new(InstanceIdPrefix: IdPrefix, FetchInputsAndOutputs: true);

    /// <summary>Begins it, unless it is under way already.</summary>
    public async Task<Result<TransferAnswer>> StartAsync(HttpContext context, PullRequest request)
    {
        if (hubs.Of(context).Failed(out ApiError? error, out DurableTaskClient? hub))
            return error;
        PullInput input = new(request.Name.ToString(), request.From?.AbsoluteUri) { Run = Guid.NewGuid().ToString("n") };
        string id = IdPrefix + ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes($"{input.Model} {input.From}")))[..32];
        if (await hub.GetInstanceAsync(id, getInputsAndOutputs: true, context.RequestAborted) is not { IsCompleted: false } running)
            await OrchestrationStart.RunAsync(hub, PullOrchestrator.Name, id, input);
        else if (running.ReadInputAs<PullInput>()?.Run is { } run && await ends.IsCancelledAsync(run, context.RequestAborted))
            return new ApiError(StatusCodes.Status409Conflict, $"the pull of '{request.Name}' that was cancelled is still ending: try again in a moment");
        return AnswerOf(id, request, null);
    }

    /// <summary>Those that run, and how those of the last day ended; none where there is no task hub.</summary>
    public async Task<IReadOnlyList<TransferAnswer>> ListAsync(HttpContext context)
    {
        List<TransferAnswer> all = [];
        if (hubs.Of(context).Value is not { } hub)
            return all;
        await foreach (OrchestrationMetadata state in hub.GetAllInstancesAsync(All).WithCancellation(context.RequestAborted))
        {
            if (state.ReadInputAs<PullInput>() is { } input)
                all.Add(AnswerOf(state.InstanceId, PullRequest.Of(input), state));
        }
        return all;
    }

    /// <summary>Ends one, wherever its slice is run: there will be no model of it.</summary>
    public async Task<TransferOutcome> CancelAsync(HttpContext context, string id)
    {
        if (!id.StartsWith(IdPrefix, StringComparison.Ordinal) || hubs.Of(context).Value is not { } hub
            || await hub.GetInstanceAsync(id, getInputsAndOutputs: true, context.RequestAborted) is not { IsCompleted: false } state)
            return TransferOutcome.NotThere;
        PullInput? input = state.ReadInputAs<PullInput>();
        if (input?.Run is { } run && !await ends.TryCancelAsync(run, CancellationToken.None))
            return TransferOutcome.TooLate;
        await hub.RaiseEventAsync(id, EventNames.Cancel, id, CancellationToken.None);
        if (input is not null && pulls.Find(PullRequest.Of(input)) is { } running)
            running.Cancel();
        return TransferOutcome.Done;
    }

    /// <summary>Forgets those that ended long ago.</summary>
    public static async Task SweepAsync(DurableTaskClient hub, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await foreach (OrchestrationMetadata state in hub.GetAllInstancesAsync(new(InstanceIdPrefix: IdPrefix)).WithCancellation(cancellationToken))
        {
            if (state.IsCompleted && now - state.LastUpdatedAt > Kept)
                await hub.PurgeInstanceAsync(state.InstanceId, cancellationToken);
        }
    }

    private TransferAnswer AnswerOf(string id, PullRequest request, OrchestrationMetadata? state)
    {
        TransferAnswer begun = new(id, request.Name.ToString(), TransferAnswer.Pull, TransferAnswer.Running, 0, 0, 0);
        if (state is { RuntimeStatus: OrchestrationRuntimeStatus.Completed } && state.ReadOutputAs<PullResult>() is { } end)
            return begun with { State = end.State, Completed = end.Completed, Total = end.Total, Error = end.Error };
        if (state is { IsCompleted: true })
            return begun with { State = TransferAnswer.Failed, Error = state.FailureDetails?.ErrorMessage ?? "it was terminated" };
        if (pulls.Find(request) is { } running)
        {
            var (completed, total, speed) = running.Progress.Sum;
            return begun with { Completed = completed, Total = total, BytesPerSecond = speed };
        }
        return state?.ReadCustomStatusAs<PullSlice>() is { } slice ? begun with { Completed = slice.Completed, Total = slice.Total } : begun;
    }
}
