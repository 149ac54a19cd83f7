using OllamaMax.Security;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Security;

public sealed class AuditBlobsTests(AzuriteFixture azurite)
{
    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Append_TwoEdgesAtOnce_EachRecordOnceInItsOrder()
    {
        const int Each = 20;
        await _account.CreateContainersAsync(Cancellation);
        DateTimeOffset day = new(2020, 2, 29, 12, 0, 0, TimeSpan.Zero);
        string run = Guid.NewGuid().ToString("n");

        await Task.WhenAll(Enumerable.Range(0, 2).Select(async edge =>
        {
            AuditBlobs blobs = new(_account);
            for (int i = 0; i < Each; i++)
                await blobs.AppendAsync([Record(day, $"{run}-{edge}", i, "é\n")], day, Cancellation);
        }));

        List<AuditRecord> all = await new AuditBlobs(_account).ReadAsync(new(2020, 2, 29), Cancellation).Where(record => record.Actor.StartsWith(run, StringComparison.Ordinal)).ToListAsync(Cancellation);
        all.Count.ShouldBe(2 * Each);
        all.ShouldAllBe(record => record.Subject == "é\n");
        foreach (var edge in all.GroupBy(record => record.Actor))
            edge.Select(record => record.Status).ShouldBe(Enumerable.Range(0, Each));
    }

    [Fact]
    public async Task Read_DayWithoutActs_IsEmpty()
    {
        await _account.CreateContainersAsync(Cancellation);

        (await new AuditBlobs(_account).ReadAsync(new(1999, 1, 1), Cancellation).ToListAsync(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task DeleteBefore_Day_LeavesThatDayAndLaterOnes()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        AuditBlobs blobs = new(account);
        DateTimeOffset first = new(2020, 12, 30, 12, 0, 0, TimeSpan.Zero);
        for (int i = 0; i < 4; i++)
            await blobs.AppendAsync([Record(first.AddDays(i), "somebody", i, "")], first.AddDays(i), Cancellation);

        (await blobs.DeleteBeforeAsync(new(2021, 1, 1), Cancellation)).ShouldBe(2);

        List<int> left = [];
        for (DateOnly day = new(2020, 12, 30); day < new DateOnly(2021, 1, 3); day = day.AddDays(1))
            left.AddRange(await blobs.ReadAsync(day, Cancellation).Select(record => record.Status).ToListAsync(Cancellation));
        left.ShouldBe([2, 3]);
    }

    private static AuditRecord Record(DateTimeOffset at, string actor, int status, string subject) =>
        new(at, actor, null, "acme", "POST /keys", subject, "::1", status, "r1");
}
