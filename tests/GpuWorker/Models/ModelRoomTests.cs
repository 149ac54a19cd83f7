using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Which models share memory and GPUs, and which make way.</summary>
public sealed class ModelRoomTests : ModelHostContext
{
    [Fact]
    public async Task Use_NoRoom_TheLongestUnusedMakesWay()
    {
        ModelHost host = Host(models: 3, memory: 200);
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        Time.Advance(TimeSpan.FromSeconds(1));
        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();
        Time.Advance(TimeSpan.FromSeconds(1));
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();

        Loaded(host).ShouldBe([0, 2]);
    }

    [Fact]
    public async Task Use_NoRoomAndAllInUse_WaitsForTheOneThatEnds()
    {
        ModelHost host = Host(models: 2, memory: 100);
        ModelUse first = await host.UseAsync(Digest(0), null, Cancellation);

        Task<ModelUse> second = host.UseAsync(Digest(1), null, Cancellation);
        await WaitsForRoomAsync();
        // Who comes for the first one now must not keep the second out for ever.
        Task<ModelUse> again = host.UseAsync(Digest(0), null, Cancellation);
        Loader.Engines.Single().IsDisposed.ShouldBeFalse();
        first.Dispose();
        ModelUse use = await second;

        Loader.Engines[0].IsDisposed.ShouldBeTrue();
        use.Dispose();
        (await again).Dispose();
        Loaded(host).ShouldBe([0]);
    }

    [Fact]
    public async Task Use_GivenUpWhileItWaitsForRoom_LetsTheOtherStay()
    {
        ModelHost host = Host(models: 2, memory: 100);
        ModelUse first = await host.UseAsync(Digest(0), null, Cancellation);
        using var leaving = new CancellationTokenSource();
        Task<ModelUse> second = host.UseAsync(Digest(1), null, leaving.Token);
        await WaitsForRoomAsync();

        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(second);
        await UntilAsync(host, () => Held(host, 1).LoadingPercent is null);
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        first.Dispose();
        Loaded(host).ShouldBe([0]);
        Loader.Engines.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Use_ModelThatNeverFits_FailsClearly()
    {
        ModelHost host = Host(models: 1, memory: 10);

        ModelLoadException failure = await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));

        failure.Message.ShouldStartWith("the model needs");
    }

    [Fact]
    public async Task Use_MoreRoomThanNeeded_MayTakeAllThatIsFree()
    {
        ModelHost host = Host(models: 2, memory: 1000);
        Loader.Taken = 700;
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        Loader.Taken = 0;
        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();

        // The second has what the first has left, and makes nobody leave for more.
        Loader.Rooms.ShouldBe([1000, 300]);
        Held(host, 0).Bytes.ShouldBe(700);
        Held(host, 1).Bytes.ShouldBe(100);
        Loaded(host).ShouldBe([0, 1]);
    }

    [Fact]
    public async Task Use_NoRoomForTheWholeContext_LoadsWithAllThereIs()
    {
        ModelHost host = Host(models: 2, memory: 90);
        Loader.Least = 80;
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();

        Loader.Rooms.ShouldBe([90, 90]);
        Loaded(host).ShouldBe([1]);
    }

    [Fact]
    public async Task Held_PartlyOnAGpu_SaysHowMuch()
    {
        ModelHost host = Host(models: 1);
        (Loader.Taken, Loader.Vram) = (90, 60);

        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        Held(host, 0).VramBytes.ShouldBe(60);
        host.Slots.ShouldBe(1);
    }

    [Fact]
    public async Task Use_AnIdleOneHasTheGpus_ItMakesWay()
    {
        ModelHost host = await HostWithGpuAsync(models: 3);
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        Time.Advance(TimeSpan.FromSeconds(1));
        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();

        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();

        Loaded(host).ShouldBe([1, 2], "there is memory for all, but the GPU has place for two");
    }

    [Fact]
    public async Task Use_TheGpusAreInUse_ItIsLoadedBesideThem()
    {
        ModelHost host = await HostWithGpuAsync(models: 3);
        using ModelUse first = await host.UseAsync(Digest(0), null, Cancellation);
        using ModelUse second = await host.UseAsync(Digest(1), null, Cancellation);

        Loader.Vram = 0;
        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();

        Loaded(host).ShouldBe([0, 1, 2]);
    }
}
