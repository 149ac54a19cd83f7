using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Models;

public sealed class PullEndsTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Try_WhoIsFirst_StaysSo()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        await test.Container.CreateIfNotExistsAsync(cancellationToken: Cancel);
        PullEnds ends = new(test.Container);

        (await ends.IsCancelledAsync("a", Cancel), await ends.TryCancelAsync("a", Cancel), await ends.IsCancelledAsync("a", Cancel)).ShouldBe((false, true, true));
        (await ends.TryWriteAsync("a", Cancel), await ends.TryCancelAsync("a", Cancel)).ShouldBe((false, true));
        (await ends.TryWriteAsync("b", Cancel), await ends.TryWriteAsync("b", Cancel), await ends.TryCancelAsync("b", Cancel), await ends.IsCancelledAsync("b", Cancel)).ShouldBe((true, true, false, false));
    }
}
