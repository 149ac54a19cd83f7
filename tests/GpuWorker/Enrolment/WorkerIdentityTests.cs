using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Enrolment;

public sealed class WorkerIdentityTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void Open_Again_IsTheSameThatNobodyElseReads()
    {
        string key;
        using (WorkerIdentity first = WorkerIdentity.Open(_folder.Path))
        {
            key = first.PublicKey;
            first.Id.ShouldBeNull();
            first.Enrolled("w1");
        }

        using WorkerIdentity again = WorkerIdentity.Open(_folder.Path);

        (again.PublicKey, again.Id).ShouldBe((key, "w1"));
        Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).ShouldBe(["worker.key", "worker.id"], ignoreOrder: true);
        if (OperatingSystem.IsWindows())
            return;
        foreach (string file in Directory.EnumerateFiles(_folder.Path))
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task Hold_AnotherWorkerOfThisBoxHasIt_IsWaitedForAndThenRefused()
    {
        WatchedTimeProvider time = new();
        using WorkerIdentity first = WorkerIdentity.Open(_folder.Path), second = WorkerIdentity.Open(_folder.Path);
        using (await first.HoldAsync(time, TestContext.Current.CancellationToken))
        {
            Task<IDisposable> refused = second.HoldAsync(time, TestContext.Current.CancellationToken);
            time.Advance(TimeSpan.FromSeconds(10));
            (await Should.ThrowAsync<IdentityException>(() => refused)).Message.ShouldContain("another worker runs with this box's identity");
        }

        using IDisposable held = await second.HoldAsync(time, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Open_IdThatAFullDiskLeftEmpty_IsNotEnrolled()
    {
        WorkerIdentity.Open(_folder.Path).Dispose();
        File.WriteAllText(_folder.File("worker.id"), "");

        using WorkerIdentity identity = WorkerIdentity.Open(_folder.Path);

        identity.Id.ShouldBeNull();
    }

    [Theory]
    [InlineData("", "worker.key is empty")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be used")]
    [InlineData("no key", "cannot be used")]
    public async Task Join_KeyThatIsNone_SaysSoAndEnds(string key, string says)
    {
        await File.WriteAllTextAsync(_folder.File("worker.key"), key, TestContext.Current.CancellationToken);

        Should.Throw<IdentityException>(() => WorkerIdentity.Open(_folder.Path)).Message.ShouldContain(says);

        (await RunAsync("join", _folder.Path)).ShouldBe(1);
        (await RunAsync("run", _folder.Path)).ShouldBe(1);
    }

    [Fact]
    public async Task Join_DataThatIsAFile_SaysSoAndEnds()
    {
        await File.WriteAllTextAsync(_folder.File("data"), "", TestContext.Current.CancellationToken);

        (await RunAsync("join", _folder.File("data"))).ShouldBe(1);
    }

    public void Dispose() => _folder.Dispose();

    private static Task<int> RunAsync(string command, string data) =>
        WorkerCommand.Create().Parse([command, "--edge", "http://127.0.0.1:1", "--data", data]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
}
