using OllamaMax.Orchestrations.Pulls;
using OllamaMax.TaskHub.Tests.Support;

namespace OllamaMax.Orchestrations.Tests.Pulls;

/// <summary>A pull in virtual time.</summary>
public sealed class PullOrchestratorTests
{
    private const string Id = "pull-1";

    private readonly VirtualHub _hub = new();
    private int _slices;

    public PullOrchestratorTests()
    {
        foreach (var (name, create) in Orchestrators.All)
            _hub.Registry.AddOrchestrator(name, create);
        _hub.Registry.Activity<PullInput, PullSlice>(ActivityNames.PullSlice, _ => Slice(++_slices));
    }

    /// <summary>What each comes to, by its number.</summary>
    private Func<int, PullSlice> Slice { get; set; } = number => new(number, 100) { IsDone = number == 100 };

    [Fact]
    public async Task Pull_OfManySlices_IsCompletedWithTheLast()
    {
        (await RunAsync()).ShouldBe(new PullResult("completed", 100, 100));
        _slices.ShouldBe(100);
    }

    [Fact]
    public async Task Pull_SourceRefuses_FailsWithItsReason()
    {
        Slice = number => new(number, 100) { Error = number == 2 ? "not found" : null };

        (await RunAsync()).ShouldBe(new PullResult("failed", 2, 100, "not found"));
    }

    [Fact]
    public async Task Pull_SliceThrowsNowAndThen_GoesOn()
    {
        Slice = number => number % 2 == 1 ? throw new IOException("storage is away") : new(number, 100) { IsDone = number == 6 };

        (await RunAsync()).State.ShouldBe("completed");
    }

    [Fact]
    public async Task Pull_NoSliceCanBeRun_FailsWithTheReason()
    {
        Slice = _ => throw new IOException("storage is away");

        PullResult end = await RunAsync();

        (end.State, end.Error).ShouldBe(("failed", "storage is away"));
    }

    [Fact]
    public async Task Pull_SliceFindsItCancelled_IsCancelled()
    {
        Slice = number => new(number, 100) { IsCancelled = number == 2 };

        (await RunAsync()).ShouldBe(new PullResult("cancelled", 2, 100, PullResult.WasCancelled));
    }

    [Fact]
    public async Task Pull_Cancelled_EndsWithWhatIsThere()
    {
        // It waits for the time of its next trial then.
        Slice = number => number == 40 ? throw new IOException("storage is away") : new(number, 100);
        _hub.Start(Id, PullOrchestrator.Name, new PullInput("m:latest", null));
        await _hub.RunAsync();

        _hub.Raise(Id, EventNames.Cancel, Id);
        await _hub.RunAsync();

        PullResult end = _hub.Output<PullResult>(Id);
        (end.State, end.Completed).ShouldBe(("cancelled", 39));
    }

    private async Task<PullResult> RunAsync()
    {
        _hub.Start(Id, PullOrchestrator.Name, new PullInput("m:latest", null));
        await _hub.PassAsync(TimeSpan.FromHours(1));
        return _hub.Output<PullResult>(Id);
    }
}
