using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Storage;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>The local hub, as its callers see it. What a call has answered is in storage.</summary>
internal sealed class TaskHubClient(HubHost host, TimeProvider time) : DurableTaskClient("local")
{
    /// <summary>How often somebody who waits looks at what another process runs.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <exception cref="InvalidOperationException">There is an orchestration of this id that has not ended, or is in one of the states to be kept.</exception>
    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
    {
        DateTimeOffset now = time.GetUtcNow();
        InstanceRecord record = new()
        {
            Id = options?.InstanceId ?? Guid.NewGuid().ToString("N"),
            Name = orchestratorName.Name,
            CreatedAt = now,
            UpdatedAt = now,
            StartAt = options?.StartAt,
            Tags = options?.Tags is { Count: > 0 } tags ? tags : null,
            Input = ToPayload(input),
        };
        while (!await host.BeginAsync(record, cancellation))
        {
            if (await host.Store.FindAsync(record.Id, cancellation) is not { Record: var there } found)
                continue;
            if (!there.IsEnded || options?.DedupeStatuses?.Contains(there.Status.ToString(), StringComparer.OrdinalIgnoreCase) == true)
                throw new InvalidOperationException($"There is an orchestration '{record.Id}' already, and it is {there.Status}.");
            await host.Store.DeleteAsync(found, cancellation);
        }
        return record.Id;
    }

    public override async Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default) =>
        Known(instanceId, await host.AskAsync(instanceId, new InstanceCommand.Raise(eventName, ToPayload(eventPayload)), cancellation));

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, record => record.Status != OrchestrationRuntimeStatus.Pending, getInputsAndOutputs, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, record => record.IsEnded, getInputsAndOutputs, cancellation);

    public override async Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default) =>
        Known(instanceId, await host.AskAsync(
            instanceId, new InstanceCommand.Terminate(ToPayload(options?.Output), options?.Recursive ?? false), cancellation));

    public override async Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        Known(instanceId, await host.AskAsync(instanceId, new InstanceCommand.Suspend(), cancellation));

    public override async Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        Known(instanceId, await host.AskAsync(instanceId, new InstanceCommand.Resume(), cancellation));

    public override async Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        await host.Store.FindAsync(instanceId, cancellation) is { Record: var record } ? ToMetadata(record, getInputsAndOutputs) : null;

    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        OrchestrationQuery query = filter ?? new();
        return Pageable.Create<OrchestrationMetadata>(async (continuation, size, cancellation) =>
        {
            Page<InstanceItem> page = await host.Store.ListAsync(
                query.InstanceIdPrefix ?? "", continuation ?? query.ContinuationToken, size ?? query.PageSize, cancellation);
            List<OrchestrationMetadata> found = [];
            foreach (InstanceItem item in page.Values.Where(item => Matches(item, query.CreatedFrom, query.CreatedTo, query.Statuses)))
            {
                if (!query.FetchInputsAndOutputs)
                    found.Add(ToMetadata(item));
                else if (await GetInstancesAsync(item.Id, getInputsAndOutputs: true, cancellation) is { } whole)
                    found.Add(whole);
            }
            return new(found, page.ContinuationToken);
        });
    }

    /// <summary>Purges what has ended; anything else stays.</summary>
    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        int count = 0;
        while (await host.Store.FindAsync(instanceId, cancellation) is { Record.IsEnded: true } found)
        {
            if (options?.Recursive == true)
            {
                foreach (string child in found.Record.Children())
                    count += (await PurgeInstanceAsync(child, options, cancellation)).PurgedInstanceCount;
            }
            // One that was begun anew meanwhile has not ended.
            if (await host.Store.DeleteAsync(found, cancellation))
                return new(count + 1);
        }
        return new(count);
    }

    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        int count = 0;
        await foreach (OrchestrationMetadata found in GetAllInstancesAsync(new(filter.CreatedFrom, filter.CreatedTo, filter.Statuses)).WithCancellation(cancellation))
            count += (await PurgeInstanceAsync(found.InstanceId, options, cancellation)).PurgedInstanceCount;
        return new(count);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Payload? ToPayload(object? value) => HubHost.Converter.Serialize(value) is { } text ? new Payload(text) : null;

    private static void Known(string instanceId, InstanceRecord? record)
    {
        if (record is null)
            throw Unknown(instanceId);
    }

    private static InvalidOperationException Unknown(string instanceId) => new($"There is no orchestration '{instanceId}'.");

    private static bool Matches(InstanceItem item, DateTimeOffset? from, DateTimeOffset? to, IEnumerable<OrchestrationRuntimeStatus>? statuses) =>
        !(item.CreatedAt < from) && !(item.CreatedAt > to) && (statuses?.Contains(item.Status) ?? true);

    private static OrchestrationMetadata ToMetadata(InstanceItem item) => new(item.Name, item.Id)
    {
        RuntimeStatus = item.Status,
        CreatedAt = item.CreatedAt,
        LastUpdatedAt = item.UpdatedAt,
    };

    private static OrchestrationMetadata ToMetadata(InstanceRecord record, bool isWhole) => new(record.Name, record.Id)
    {
        RuntimeStatus = record.Status,
        CreatedAt = record.CreatedAt,
        LastUpdatedAt = record.UpdatedAt,
        FailureDetails = record.Failure?.ToDetails(),
        Tags = record.Tags ?? new Dictionary<string, string>(),
        DataConverter = isWhole ? HubHost.Converter : null,
        SerializedInput = isWhole ? record.Input?.Text : null,
        SerializedOutput = isWhole ? record.Output?.Text : null,
        SerializedCustomStatus = isWhole ? record.CustomStatus?.Text : null,
    };

    private async Task<OrchestrationMetadata> WaitAsync(
        string instanceId, Func<InstanceRecord, bool> isReached, bool isWhole, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed = host.Watch.NextAsync(instanceId);
            if (await host.Store.FindAsync(instanceId, cancellation) is not { Record: var record })
                throw Unknown(instanceId);
            if (isReached(record))
                return ToMetadata(record, isWhole);
            try
            {
                await changed.WaitAsync(LookEvery, time, cancellation);
            }
            catch (TimeoutException)
            {
                // Another process may run it.
            }
        }
    }
}
