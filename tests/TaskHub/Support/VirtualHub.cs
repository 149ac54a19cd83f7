using System.Text.Json;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Turns;

namespace OllamaMax.TaskHub.Tests.Support;

/// <summary>
/// Drives records by hand, in a time that only the test moves. Between any two steps there is nothing but their JSON: each step is what a host does that
/// was started just now, after a crash at that position.
/// </summary>
internal sealed class VirtualHub
{
    private readonly SortedDictionary<string, byte[]> _documents = new(StringComparer.Ordinal);

    public TaskRegistry Registry { get; } = new();

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>Writes so far.</summary>
    public int Writes { get; private set; }

    public InstanceRecord this[string id] => JsonSerializer.Deserialize(_documents[id], InstanceJson.Default.InstanceRecord)!;

    public bool Has(string id) => _documents.ContainsKey(id);

    public void Start(string id, string name, object? input = null) => Save(new InstanceRecord
    {
        Id = id,
        Name = name,
        CreatedAt = Now,
        UpdatedAt = Now,
        Input = JsonDataConverter.Default.Serialize(input) is { } text ? new Payload(text) : null,
    });

    public void Apply(string id, params IReadOnlyList<InstanceCommand> commands) => Save(this[id].Apply(commands, Now));

    public void Raise(string id, string name, object? content = null) =>
        Apply(id, new InstanceCommand.Raise(name, JsonDataConverter.Default.Serialize(content) is { } text ? new Payload(text) : null));

    /// <summary>Until nothing is left to do now.</summary>
    public async Task RunAsync()
    {
        while (await StepAsync())
        {
        }
    }

    /// <summary>Lets time pass; whatever is due in it happens when it is due.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        DateTimeOffset end = Now + time;
        await RunAsync();
        while (_documents.Keys.Select(id => this[id].NextDue()).Min() is { } due && due <= end)
        {
            Now = due > Now ? due : Now;
            foreach (string id in _documents.Keys.ToList())
                Apply(id, new InstanceCommand.Tick());
            await RunAsync();
        }
        Now = end;
    }

    public T Output<T>(string id)
    {
        InstanceRecord record = this[id];
        record.Status.ShouldBe(OrchestrationRuntimeStatus.Completed, record.Failure?.ToString());
        return JsonDataConverter.Default.Deserialize<T>(record.Output?.Text)!;
    }

    /// <summary>One step of one orchestration; false: there was none to do.</summary>
    public async Task<bool> StepAsync()
    {
        foreach (string id in _documents.Keys.ToList())
        {
            if (await StepAsync(this[id]))
                return true;
        }
        return false;
    }

    private async Task<bool> StepAsync(InstanceRecord record)
    {
        if (record.NeedsTurn(Now))
        {
            Save(Turn.Run(Registry.Orchestrator(record.Name), record, Now, JsonDataConverter.Default, NullLoggerFactory.Instance));
            return true;
        }
        foreach (OutgoingEvent sent in record.Outbox)
        {
            if (!Has(sent.Target) && record.Children().Contains(sent.Target))
                continue;
            if (Has(sent.Target))
                Apply(sent.Target, new InstanceCommand.Raise(sent.Name, sent.Data, sent.Id));
            Apply(record.Id, new InstanceCommand.Delivered(sent.Id));
            return true;
        }
        if (record.TerminatesChildren)
        {
            foreach (string child in record.Children())
                Apply(child, new InstanceCommand.Terminate(record.Output, Recursive: true));
            Apply(record.Id, new InstanceCommand.ChildrenTerminated());
            return true;
        }
        foreach (HistoryEvent.Decision pending in record.Pending())
        {
            if (await DoAsync(record, pending))
                return true;
        }
        return false;
    }

    private async Task<bool> DoAsync(InstanceRecord record, HistoryEvent.Decision pending)
    {
        switch (pending)
        {
            case HistoryEvent.ActivityScheduled activity:
                Apply(record.Id, await RunAsync(record, activity));
                return true;
            case HistoryEvent.ChildScheduled child when !Has(child.ChildId):
                Save(record.Child(child, Now));
                return true;
            case HistoryEvent.ChildScheduled child when this[child.ChildId] is { IsEnded: true } ended:
                Apply(record.Id, ended.EndFor(ended.Parent!));
                return true;
            default:
                return false;
        }
    }

    private async Task<InstanceCommand> RunAsync(InstanceRecord record, HistoryEvent.ActivityScheduled activity)
    {
        await using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        using ActivityRunner activities = new(Registry, services, JsonDataConverter.Default, most: 1);
        return await activities.RunAsync(record, activity, CancellationToken.None);
    }

    private void Save(InstanceRecord record)
    {
        Writes++;
        _documents[record.Id] = JsonSerializer.SerializeToUtf8Bytes(record, InstanceJson.Default.InstanceRecord);
    }
}
