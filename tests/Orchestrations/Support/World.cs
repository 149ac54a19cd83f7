using OllamaMax.Jobs.Records;
using OllamaMax.TaskHub.Tests.Support;

namespace OllamaMax.Orchestrations.Tests.Support;

/// <summary>One orchestration in virtual time, with jobs that end as and when a test says.</summary>
internal sealed class World
{
    public const string Id = "job";

    private readonly Dictionary<string, BranchEnd> _ends = [];

    public World()
    {
        foreach (var (name, create) in Orchestrations.Strategies.All)
            Hub.Registry.AddOrchestrator(name, create);
        Hub.Registry
            .Activity<SubmitInput, SubmitOutcome>(ActivityNames.Submit, Submit)
            .Activity<string, BranchEnd>(ActivityNames.Look, id => OnLook(id) ?? _ends.GetValueOrDefault(id) ?? new BranchEnd(RecordStatus.Running))
            .Activity<string[], int>(ActivityNames.Cancel, ids =>
            {
                Cancelled.AddRange(ids);
                return ids.Length;
            })
            .Activity<string, SplitOutcome>(ActivityNames.Split, _ => Split)
            .Activity<VoteInput, VoteOutcome>(ActivityNames.Vote, input =>
            {
                VotedOn = input.JobIds;
                return new VoteOutcome(input.JobIds[0], "42", input.JobIds.Count, input.JobIds.Count);
            })
            .Activity<string, bool>(ActivityNames.Finish, _ => IsFinished = true);
    }

    public VirtualHub Hub { get; } = new();

    /// <summary>Jobs that were taken on, in their order.</summary>
    public List<SubmitInput> Jobs { get; } = [];

    public List<string> Cancelled { get; } = [];

    public bool IsFinished { get; private set; }

    public IReadOnlyList<string> VotedOn { get; private set; } = [];

    public SplitOutcome Split { get; set; } = new(1);

    /// <summary>What to answer to a submission before the job is taken on.</summary>
    public Func<SubmitInput, SubmitOutcome> OnSubmit { get; set; } = _ => new();

    /// <summary>What a look at a job comes to before its end; null: what has become of it.</summary>
    public Func<string, BranchEnd?> OnLook { get; set; } = _ => null;

    public StrategyResult Result => Hub.Output<StrategyResult>(Id);

    public async Task StartAsync(string strategy, params string[] models) => await StartAsync(strategy, input => input, models);

    public async Task StartAsync(string strategy, Func<StrategyInput, StrategyInput> configure, params string[] models)
    {
        Hub.Start(Id, strategy, configure(new StrategyInput
        {
            Id = Id,
            Models = models,
            MaxParallel = 32,
            Retries = 1,
            Deadline = Hub.Now + TimeSpan.FromHours(1),
        }));
        await Hub.RunAsync();
    }

    /// <summary>A job comes to its end, and the orchestration hears of it unless that is lost.</summary>
    public async Task EndAsync(SubmitInput job, RecordStatus status = RecordStatus.Completed, string? error = null, bool isAnnounced = true)
    {
        _ends[job.JobId] = new(status, error);
        if (isAnnounced)
            Hub.Raise(Id, EventNames.Ended(job.JobId), job.JobId);
        await Hub.RunAsync();
    }

    private SubmitOutcome Submit(SubmitInput input)
    {
        SubmitOutcome outcome = OnSubmit(input);
        if (outcome is { Error: null, RetryAfter: null })
            Jobs.Add(input);
        return outcome;
    }
}
