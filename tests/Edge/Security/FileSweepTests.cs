using System.Text;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class FileSweepTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sweep_TenantWithARetention_LosesWhatIsOlderThanThatAndABatchsWindow()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        FileStore files = new(account, ContentKeys.None);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        string old = await PutAsync(files, "short", now - TimeSpan.FromHours(26));
        string young = await PutAsync(files, "short", now - TimeSpan.FromHours(24));
        string others = await PutAsync(files, "other", now - TimeSpan.FromDays(300));
        TenantOptions tenants = new() { Limits = { ["short"] = new() { Retention = TimeSpan.FromHours(1) } } };

        await new FileSweep(files, Options.Create(new TenantOptions())).SweepAsync(now, Cancellation);
        (await files.ListAsync(tenant: null, Cancellation)).Count.ShouldBe(3);
        await new FileSweep(files, Options.Create(tenants)).SweepAsync(now, Cancellation);

        string[] left = [.. (await files.ListAsync(tenant: null, Cancellation)).Select(file => file.Id)];
        left.ShouldNotContain(old);
        left.ShouldBe([young, others], ignoreOrder: true);
    }

    private static async Task<string> PutAsync(FileStore files, string tenant, DateTimeOffset createdAt)
    {
        StoredFile file = new(JobId.New(TimeProvider.System), tenant, "lines.jsonl", "batch", 0, createdAt);
        await files.PutAsync(file, new MemoryStream(Encoding.UTF8.GetBytes("{}")), Cancellation);
        return file.Id;
    }
}
