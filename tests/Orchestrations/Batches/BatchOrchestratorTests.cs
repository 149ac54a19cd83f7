using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.TaskHub.Tests.Support;

namespace OllamaMax.Orchestrations.Tests.Batches;

/// <summary>A batch in virtual time, whose lines end as soon as somebody looks at them.</summary>
public sealed class BatchOrchestratorTests
{
    private const string Id = "batch";

    private readonly VirtualHub _hub = new();
    private readonly List<WritePageInput> _written = [];
    private CloseBatchInput? _closed;

    public BatchOrchestratorTests()
    {
        foreach (var (name, create) in Orchestrators.All)
            _hub.Registry.AddOrchestrator(name, create);
        _hub.Registry
            .Activity<string, BatchOpened>(ActivityNames.OpenBatch, _ => new BatchOpened([3, 3, 1]))
            .Activity<SubmitInput, SubmitOutcome>(ActivityNames.SubmitLine, _ => new SubmitOutcome())
            .Activity<string, BranchEnd>(ActivityNames.Look, _ => new BranchEnd(LineStatus))
            .Activity<string[], int>(ActivityNames.Cancel, ids => ids.Length)
            .Activity<WritePageInput, BatchPageResult>(ActivityNames.WritePage, Write)
            .Activity<CloseBatchInput, BatchFiles>(ActivityNames.CloseBatch, input =>
            {
                _closed = input;
                return new BatchFiles(input.OutputId, null);
            });
    }

    private Func<WritePageInput, bool> CanWrite { get; set; } = _ => true;

    private RecordStatus LineStatus { get; set; } = RecordStatus.Completed;

    [Fact]
    public async Task Batch_AllPagesWritten_IsCompleted()
    {
        BatchProgress end = await RunAsync();

        (end.State, end.Total, end.Completed, end.Failed).ShouldBe(("completed", 7, 7, 0));
        _written.Select(page => page.Lines.Count).ShouldBe([3, 3, 1], ignoreOrder: true);
        _closed!.Unwritten.ShouldBeEmpty();
    }

    [Fact]
    public async Task Batch_PageThatCannotBeWritten_IsReportedAndTheOthersAreKept()
    {
        CanWrite = page => page.Page != 1;

        BatchProgress end = await RunAsync();

        (end.State, end.Total, end.Completed, end.Failed).ShouldBe(("completed", 7, 4, 3));
        _closed!.Unwritten.ShouldBe([1]);
    }

    [Fact]
    public async Task Batch_CancelledBeforeItsLastPageWasBegun_IsClosedWithoutThat()
    {
        LineStatus = RecordStatus.Running;
        Start();
        await _hub.PassAsync(TimeSpan.FromMinutes(1));

        _hub.Raise(Id, EventNames.Cancel);
        await _hub.RunAsync();

        _hub.Output<BatchProgress>(Id).State.ShouldBe("cancelled");
        _written.Select(page => page.Page).ShouldBe([0, 1], ignoreOrder: true);
        _closed!.Pages.ShouldBe(2);
    }

    /// <summary>Lines end by a timer's look: nobody announces them.</summary>
    private async Task<BatchProgress> RunAsync()
    {
        Start();
        await _hub.PassAsync(TimeSpan.FromMinutes(30));
        return _hub.Output<BatchProgress>(Id);
    }

    private void Start() =>
        _hub.Start(Id, BatchOrchestrator.Name, new BatchInput { Id = Id, MaxParallel = 4, Retries = 1, Deadline = _hub.Now + TimeSpan.FromHours(24) });

    private BatchPageResult Write(WritePageInput page)
    {
        if (!CanWrite(page))
            throw new InvalidOperationException("storage does not take it");
        _written.Add(page);
        return new(page.Lines.Count(line => line.Status == RecordStatus.Completed), 0);
    }
}
