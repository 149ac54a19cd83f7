using System.Collections.Concurrent;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Inference.Tests.Packages;

public sealed class NodePackagesTests : IDisposable
{
    private readonly TinyCheckout _checkout = new();
    private readonly ConcurrentQueue<string> _lines = [];

    private Task EnsureAsync() => NodePackages.EnsureInstalledAsync(_checkout.Root, _lines.Enqueue, TestContext.Current.CancellationToken);

    [Fact]
    public async Task EnsureInstalledAsync_FreshCheckout_Installs()
    {
        await EnsureAsync();

        _checkout.IsInstalled("1.0.0").ShouldBeTrue();
        _lines.First().ShouldStartWith("installing 1 npm packages");
    }

    [Fact]
    public async Task EnsureInstalledAsync_UpToDate_AsksNobody()
    {
        await EnsureAsync();
        _lines.Clear();
        using InterProcessLock another = InterProcessLock.TryAcquire(LockFile).ShouldNotBeNull();

        await EnsureAsync();

        _lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task EnsureInstalledAsync_OtherLockFile_InstallsAnew()
    {
        await EnsureAsync();
        _checkout.Lock("2.0.0");

        await EnsureAsync();

        _checkout.IsInstalled("2.0.0").ShouldBeTrue();
    }

    [Fact]
    public async Task EnsureInstalledAsync_InterruptedBefore_InstallsAnew()
    {
        await EnsureAsync();
        // As an npm that was killed leaves it: it writes this file last, we our stamp after that.
        File.Delete(Path.Combine(_checkout.Root, "node_modules", ".package-lock.json"));
        File.Delete(Path.Combine(_checkout.Root, "node_modules", ".ollamamax-stamp"));
        Directory.Delete(Path.Combine(_checkout.Root, "node_modules", "tiny"), recursive: true);

        await EnsureAsync();

        _checkout.IsInstalled("1.0.0").ShouldBeTrue();
    }

    [Fact]
    public async Task EnsureInstalledAsync_TwoAtOnce_OneInstallsTheOtherWaits()
    {
        await Task.WhenAll(EnsureAsync(), EnsureAsync());

        _lines.Count(line => line.StartsWith("installing", StringComparison.Ordinal)).ShouldBe(1);
        _lines.Count(line => line.StartsWith("waiting", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task EnsureInstalledAsync_NpmFails_SaysWhyInOneLine()
    {
        _checkout.Lock("1.0.0", isBroken: true);

        PrerequisiteException failure = await Should.ThrowAsync<PrerequisiteException>(EnsureAsync());

        failure.Message.ShouldContain("EINTEGRITY");
        failure.Message.ShouldNotContain("\n");
    }

    [Fact]
    public async Task EnsureInstalledAsync_OptionalPackageLeftOut_NamesIt()
    {
        _checkout.Lock("1.0.0", isOptional: true, isBroken: true);

        PrerequisiteException failure = await Should.ThrowAsync<PrerequisiteException>(EnsureAsync());

        failure.Message.ShouldContain("node_modules/tiny");
    }

    [Fact]
    public async Task EnsureInstalledAsync_WithoutOptional_InstallsTheRestAsLocked()
    {
        string locked = await File.ReadAllTextAsync(Path.Combine(_checkout.Root, "package-lock.json"), TestContext.Current.CancellationToken);

        await NodePackages.EnsureInstalledAsync(_checkout.Root, _lines.Enqueue, TestContext.Current.CancellationToken, withOptional: false);

        _checkout.IsInstalled("1.0.0").ShouldBeTrue();
        (await File.ReadAllTextAsync(Path.Combine(_checkout.Root, "package-lock.json"), TestContext.Current.CancellationToken)).ShouldBe(locked);
    }

    public void Dispose() => _checkout.Dispose();

    private string LockFile => Path.Combine(_checkout.Root, ".data", "npm.lock");
}
