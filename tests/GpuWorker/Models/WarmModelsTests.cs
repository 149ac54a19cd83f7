using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Models;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Models that policies keep in memory.</summary>
public sealed class WarmModelsTests : ModelHostContext
{
    [Fact]
    public async Task KeepWarm_TheGpusWereUsedShortlyBefore_WaitsUntilTheOthersRest()
    {
        ModelHost host = await HostWithGpuAsync(models: 3);
        WarmModels warm = Services.GetRequiredService<WarmModels>();
        HashSet<string> wanted = [Digest(2)];
        (await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation)).Dispose();
        (await host.UseAsync(Digest(1), Timeout.InfiniteTimeSpan, Cancellation)).Dispose();

        await warm.KeepAsync(wanted, Cancellation);
        Loaded(host).ShouldBe([0, 1]);
        Time.Advance(TimeSpan.FromMinutes(1));
        await warm.KeepAsync(wanted, Cancellation);
        Loaded(host).ShouldBe([1, 2]);

        // Nor is the one that is to stay put off for a request that can be run on the CPU.
        await warm.KeepAsync(new HashSet<string> { Digest(1), Digest(2) }, Cancellation);
        Loader.Vram = 0;
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        Loaded(host).ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task KeepWarm_Model_StaysAndGoesLastAndLeavesWhenItIsNotWantedAnyMore()
    {
        ModelHost host = Host(models: 3, memory: 200);
        WarmModels warm = Services.GetRequiredService<WarmModels>();

        await warm.KeepAsync(new HashSet<string> { Digest(0), "sha256:nowhere" }, Cancellation);
        Time.Advance(TimeSpan.FromDays(2));
        host.Unload(Digest(0));
        (await host.UseAsync(Digest(0), TimeSpan.Zero, Cancellation)).Dispose();
        (Held(host, 0).Loaded, Held(host, 0).Warm, Held(host, 0).ExpiresIn).ShouldBe((true, true, null));

        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();
        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();
        Loaded(host).ShouldBe([0, 2], "the other one is newer, and goes");

        await warm.KeepAsync(new HashSet<string>(), Cancellation);
        await UntilAsync(host, () => !Held(host, 0).Loaded);
        Held(host, 0).Warm.ShouldBeNull();
    }

    [Fact]
    public async Task KeepWarm_RoomIsTaken_WaitsUntilTheOthersRest()
    {
        ModelHost host = Host(models: 2, memory: 100);
        WarmModels warm = Services.GetRequiredService<WarmModels>();
        HashSet<string> wanted = [Digest(1)];
        ModelUse use = await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation);

        await warm.KeepAsync(wanted, Cancellation);
        use.Dispose();
        await warm.KeepAsync(wanted, Cancellation);
        (Held(host, 1).Loaded, Held(host, 1).Warm).ShouldBe((false, true));
        Time.Advance(TimeSpan.FromMinutes(1));
        await warm.KeepAsync(wanted, Cancellation);

        Loaded(host).ShouldBe([1]);
        // Nor does another that is to be warm put it out.
        await warm.KeepAsync(new HashSet<string> { Digest(0), Digest(1) }, Cancellation);
        Loaded(host).ShouldBe([1]);
    }
}
