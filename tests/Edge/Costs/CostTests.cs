using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Edge.Costs;
using OllamaMax.Edge.Http;
using OllamaMax.Storage;
using OllamaMax.Storage.Cluster;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Tests.Costs;

public sealed class CostTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset First = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Sheet_AThirdOfAMonth_PricesItAndExpectsThreeTimesThat()
    {
        CostMonth month = new(1, First, First.AddDays(10), new Dictionary<string, long> { [CostNames.StorageWrites] = 20_000, [CostNames.Requests] = 1_000_000 });

        CostAnswer answer = CostSheet.Of(month, new() { StorageWrites = 0.05, Requests = 0.4 });

        Item(answer, CostNames.StorageWrites).ShouldBe((0.1, 0.3));
        Item(answer, CostNames.Requests).ShouldBe((0.4, 1.2));
        (answer.Month, answer.Cost, answer.MonthCost).ShouldBe(("2026-06", 0.5, 1.5));
    }

    [Fact]
    public void Sheet_UnitsNotSaid_AreLeftOutAndNotZero()
    {
        CostMonth month = new(1, First, First.AddDays(10), new Dictionary<string, long> { [CostNames.SignalRMessages] = 25_000_000 });

        CostAnswer unknown = CostSheet.Of(month, new());
        CostAnswer known = CostSheet.Of(month, new() { SignalRUnits = 2, SignalRUnitDay = 1.5, SignalRMessages = 1 });

        unknown.Items.ShouldNotContain(item => item.Name == "signalr_unit_days");
        unknown.NotCounted.ShouldContain(what => what.Contains("units", StringComparison.Ordinal));
        Item(known, "signalr_unit_days").ShouldBe((30, 90));
        // Twenty of the 25 million are included.
        Item(known, CostNames.SignalRMessages).ShouldBe((5, 15));
    }

    [Fact]
    public void Sheet_MeasuredForMinutes_ExpectsNothing()
    {
        CostAnswer answer = CostSheet.Of(new(1, First, First.AddMinutes(59), new Dictionary<string, long>()), new());

        answer.MonthCost.ShouldBeNull();
        answer.Items.ShouldAllBe(item => item.MonthCost == null);
    }

    [Fact]
    public async Task Flush_TwoEdgesAndARestart_AddUp()
    {
        StorageAccount account = new(azurite.NewAccount());
        FakeTimeProvider time = new(First);
        long one = 5, two = 7;
        using CostBook first = Book(account, time, () => one), second = Book(account, time, () => two);
        time.Advance(TimeSpan.FromHours(1));

        await Task.WhenAll(first.FlushAsync(Cancellation), second.FlushAsync(Cancellation));
        one += 10;
        await first.FlushAsync(Cancellation);
        using CostBook restarted = Book(account, time, () => 1);
        CostMonth month = await restarted.FlushAsync(Cancellation);

        month.Counts[CostNames.Requests].ShouldBe(5 + 7 + 10 + 1);
        (month.Since, month.Until).ShouldBe((First, First.AddHours(1)));
    }

    [Fact]
    public async Task Flush_TheMonthTurns_BeginsANewOne()
    {
        FakeTimeProvider time = new(First);
        long count = 5;
        using CostBook book = Book(new StorageAccount(azurite.NewAccount()), time, () => count);
        await book.FlushAsync(Cancellation);
        time.Advance(TimeSpan.FromDays(30));
        count += 2;

        CostMonth month = await book.FlushAsync(Cancellation);

        (month.Counts[CostNames.Requests], month.Since).ShouldBe((2, First.AddDays(30)));
    }

    [Fact]
    public void Sheet_TimeOfFunctions_IsPricedByTheirMemoryWhereThatIsSaid()
    {
        CostMonth month = new(1, First, First.AddDays(10), new Dictionary<string, long> { [CostNames.BilledMilliseconds] = 100_000_000 });

        Item(CostSheet.Of(month, new() { FunctionMemoryMB = 512, FunctionGigabyteSecond = 0.00002 }), CostNames.BilledMilliseconds).ShouldBe((1, 3));
        CostSheet.Of(month, new() { FunctionMemoryMB = 0 }).ShouldSatisfyAllConditions(
            none => none.Items.ShouldNotContain(item => item.Name == CostNames.BilledMilliseconds),
            none => none.NotCounted.ShouldNotContain(what => what.Contains("how many MB", StringComparison.Ordinal)));
        CostSheet.Of(month, new()).NotCounted.ShouldContain(what => what.Contains("how many MB", StringComparison.Ordinal));
    }

    /// <summary>Requests that come together are one time, and the shortest is a second.</summary>
    [Fact]
    public void BilledTime_OfRequests_IsTheTimeInWhichThereWereSome()
    {
        FakeTimeProvider time = new(First);
        BilledTime billed = new(time);

        billed.Begun();
        time.Advance(TimeSpan.FromSeconds(2));
        billed.Begun();
        time.Advance(TimeSpan.FromSeconds(3));
        billed.Ended();
        billed.Milliseconds.ShouldBe(5000);
        time.Advance(TimeSpan.FromSeconds(1));
        billed.Ended();
        time.Advance(TimeSpan.FromMinutes(1));
        billed.Begun();
        time.Advance(TimeSpan.FromMilliseconds(10));
        billed.Ended();

        billed.Milliseconds.ShouldBe(6000 + 1000);
    }

    [Fact]
    public void Month_WorkersReports_AddWhatCameSinceTheLast()
    {
        CostMonth month = CostMonth.Add(null, new Dictionary<string, long> { [CostNames.StorageWrites] = 1 }, First, First);

        month = month.Add([Report("a", 1, writes: 1_000)]);
        month.Counts[CostNames.StorageWrites].ShouldBe(1, "how much of it is of this month nobody knows");
        month = month.Add([Report("a", 1, writes: 1_010), Report("b", 2, writes: 5)]);
        month.Counts[CostNames.StorageWrites].ShouldBe(1 + 10 + 5);
        month = month.Add([]);
        month = month.Add([Report("a", 1, writes: 1_009), Report("b", 3, writes: 7)]);

        month.Counts[CostNames.StorageWrites].ShouldBe(1 + 10 + 5 + 7, "an older report takes nothing away, and another process began at nothing");
        month.Add([Report("a", 1, writes: long.MaxValue)]).Counts[CostNames.StorageWrites].ShouldBe(23 + 1_000_000);
    }

    [Fact]
    public async Task Flush_OfWhoLeads_AddsTheWorkersOnceHoweverManyEdgesHaveLed()
    {
        StorageAccount account = new(azurite.NewAccount());
        FakeTimeProvider time = new(First);
        WorkerReport[]? seen = null;
        using CostBook first = Book(account, time, () => 1, () => seen), second = Book(account, time, () => 1, () => seen);
        await second.FlushAsync(Cancellation);
        seen = [Report("a", 1, writes: 100)];
        await first.FlushAsync(Cancellation);
        seen = [Report("a", 1, writes: 140)];
        await first.FlushAsync(Cancellation);

        CostMonth month = await second.FlushAsync(Cancellation);

        month.Counts[CostNames.StorageWrites].ShouldBe(40);
    }

    [Fact]
    public async Task Operations_OfAnAccount_AreCountedByWhatTheyAreBilledAs()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        var blob = account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobClient("x");
        (long writes, long reads, long lists) = (account.Operations.Writes, account.Operations.Reads, account.Operations.Lists);

        await blob.UploadAsync(BinaryData.FromString("x"), Cancellation);
        await blob.DownloadContentAsync(Cancellation);
        await foreach (var _ in account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobsAsync(cancellationToken: Cancellation))
        {
        }
        await blob.DeleteAsync(cancellationToken: Cancellation);
        await account.Queues.GetQueueClient("costs").CreateAsync(cancellationToken: Cancellation);

        (account.Operations.Writes - writes, account.Operations.Reads - reads, account.Operations.Lists - lists, account.Operations.Queue).ShouldBe((1, 1, 1, 1));
        writes.ShouldBe(Containers.All.Count);
    }

    private static CostBook Book(StorageAccount account, TimeProvider time, Func<long> requests, Func<IReadOnlyList<WorkerReport>?>? workers = null) =>
        new(new BlobDocuments(account), [new CostSource(CostNames.Requests, requests)], workers ?? (() => null), time, NullLogger<CostBook>.Instance);

    private static WorkerReport Report(string id, int pid, long writes) =>
        WorkerReports.Idle(id) with { Pid = pid, Storage = new(Reads: 0, writes, Lists: 0, Queue: 0) };

    private static (double, double?) Item(CostAnswer answer, string name)
    {
        CostItem item = answer.Items.Single(item => item.Name == name);
        return (item.Cost, item.MonthCost);
    }
}
