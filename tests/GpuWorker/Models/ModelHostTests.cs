using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>When models come into memory, how long they stay there, and what becomes of those that fail.</summary>
public sealed class ModelHostTests : ModelHostContext
{
    [Fact]
    public async Task Release_KeepAliveOver_TheModelLeaves()
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), TimeSpan.FromSeconds(30), Cancellation)).Dispose();
        Held(host, 0).ExpiresIn.ShouldBe(30);

        Time.Advance(TimeSpan.FromSeconds(29));
        Held(host, 0).Loaded.ShouldBeTrue();
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);
        Time.Advance(TimeSpan.FromSeconds(1));

        await gone;
        Loader.Engines.Single().IsDisposed.ShouldBeTrue();
    }

    [Fact]
    public async Task Use_BeforeTheKeepAliveIsOver_StartsItAnew()
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), TimeSpan.FromSeconds(30), Cancellation)).Dispose();
        Time.Advance(TimeSpan.FromSeconds(20));

        ModelUse use = await host.UseAsync(Digest(0), null, Cancellation);
        Time.Advance(TimeSpan.FromSeconds(100));
        use.Dispose();
        Time.Advance(TimeSpan.FromSeconds(29));

        Held(host, 0).Loaded.ShouldBeTrue();
        Held(host, 0).ExpiresIn.ShouldBe(1);
        Loader.Engines.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Release_KeepAliveZero_LeavesAtOnce()
    {
        ModelHost host = Host(models: 1);
        ModelUse use = await host.UseAsync(Digest(0), TimeSpan.Zero, Cancellation);
        Held(host, 0).Loaded.ShouldBeTrue();
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);

        use.Dispose();

        await gone;
    }

    [Fact]
    public async Task Release_KeepAliveForGood_Stays()
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation)).Dispose();
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        Time.Advance(TimeSpan.FromDays(1000));

        Held(host, 0).Loaded.ShouldBeTrue();
        Held(host, 0).ExpiresIn.ShouldBeNull();
    }

    [Theory]
    [InlineData(30, 10, 30)]
    [InlineData(30, 0, 30)]
    [InlineData(30, 60, 60)]
    [InlineData(30, -1, null)]
    [InlineData(-1, 60, null)]
    public async Task Use_KeepAliveThatOnlyLengthens_LeavesALongerOneAsItIs(int before, int asked, int? seconds)
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), KeepAlive(before), Cancellation)).Dispose();

        (await host.UseAsync(Digest(0), KeepAlive(asked), onlyLengthens: true, Cancellation)).Dispose();

        Held(host, 0).ExpiresIn.ShouldBe(seconds);

        static TimeSpan KeepAlive(int seconds) => seconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>The worker's own default is nobody's wish.</summary>
    [Fact]
    public async Task Use_KeepAliveThatOnlyLengthens_OfWhatNobodyHasBrought_Holds()
    {
        ModelHost host = Host(models: 1);

        (await host.UseAsync(Digest(0), TimeSpan.FromSeconds(10), onlyLengthens: true, Cancellation)).Dispose();

        Held(host, 0).ExpiresIn.ShouldBe(10);
    }

    [Fact]
    public async Task Use_LoadFailsAgainAndAgain_IsTriedLessAndLessOften()
    {
        ModelHost host = Host(models: 1);
        Loader.Failure = new ModelLoadException("it is broken");
        await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));

        ModelLoadException soon = await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));
        soon.Message.ShouldBe("it is broken; not tried again for 0.3 s");
        Loader.Tries.ShouldBe(1);
        Time.Advance(TimeSpan.FromSeconds(0.3));
        await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));
        Time.Advance(TimeSpan.FromSeconds(0.3));
        await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));

        Loader.Tries.ShouldBe(2);
        Loader.Failure = null;
        Time.Advance(TimeSpan.FromSeconds(0.3));
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
    }

    [Fact]
    public async Task Use_EngineHasBroken_LoadsANewOne()
    {
        ModelHost host = Host(models: 1);
        ModelUse use = await host.UseAsync(Digest(0), null, Cancellation);
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);

        Loader.Engines[0].Break();

        await gone;
        using ModelUse fresh = await host.UseAsync(Digest(0), null, Cancellation);
        fresh.Engine.ShouldBe(Loader.Engines[1]);
        use.Dispose();
        Held(host, 0).Loaded.ShouldBeTrue();
    }

    [Fact]
    public async Task Unload_InUse_LeavesWhenTheUseEnds()
    {
        ModelHost host = Host(models: 1);
        ModelUse use = await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation);

        host.Unload(Digest(0));

        Held(host, 0).Loaded.ShouldBeTrue();
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);
        use.Dispose();
        await gone;
    }

    [Fact]
    public async Task Use_WhileItLoads_ShowsHowFarItIs()
    {
        ModelHost host = Host(models: 1);
        var gate = new TaskCompletionSource();
        Loader.Gate = gate.Task;

        Task<ModelUse> use = host.UseAsync(Digest(0), null, Cancellation);
        await Loader.Begun.WaitAsync(Cancellation);

        Held(host, 0).LoadingPercent.ShouldBe(40);
        gate.SetResult();
        (await use).Dispose();
        Held(host, 0).LoadingPercent.ShouldBeNull();
    }
}
