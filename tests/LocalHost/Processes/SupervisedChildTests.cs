using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.LocalHost.Processes;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests.Processes;

public sealed class SupervisedChildTests : IDisposable
{
    private readonly Channel<int> _starts = Channel.CreateUnbounded<int>();
    private readonly WatchedTimeProvider _time = new();
    private readonly LineLog _lines = new();
    private readonly CancellationTokenSource _allEnd = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SupervisedChild Run(Func<ChildCommand> command) => new(
        new()
        {
            Name = "child",
            Command = _ => new(command()),
            OnStarted = pid => _starts.Writer.TryWrite(pid),
            OnLine = _lines.Add,
            AllEnd = _allEnd.Token,
            StopGrace = TimeSpan.FromSeconds(2),
        },
        NullLogger.Instance, _time);

    private static ChildCommand Node(string javaScript) => new("node", ["-e", javaScript]);

    [Fact]
    public async Task Supervision_ChildKilled_StartsAnotherAtOnce()
    {
        await using SupervisedChild child = Run(() => Node("setInterval(() => {}, 1000)"));
        int first = await _starts.Reader.ReadAsync(Cancellation);

        LocalSystem.Kill(first);

        int second = await _starts.Reader.ReadAsync(Cancellation);
        second.ShouldNotBe(first);
        child.Pid.ShouldBe(second);
        (await child.FirstExit).ShouldBe(128 + 9);
    }

    [Fact]
    public async Task Supervision_ChildKilledWhenAllEnd_StartsNoOther()
    {
        SupervisedChild child = Run(() => Node("setInterval(() => {}, 1000)"));
        int pid = await _starts.Reader.ReadAsync(Cancellation);

        await _allEnd.CancelAsync();
        LocalSystem.Kill(pid);

        await child.FirstExit;
        await child.DisposeAsync();
        _starts.Reader.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Supervision_ChildEndsAgain_WaitsItsBackoff()
    {
        await using SupervisedChild child = Run(() => Node("0"));
        await _starts.Reader.ReadAsync(Cancellation);
        await _starts.Reader.ReadAsync(Cancellation);
        await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(250), Cancellation);
        _starts.Reader.Count.ShouldBe(0);

        _time.Advance(TimeSpan.FromMilliseconds(250));

        (await _starts.Reader.ReadAsync(Cancellation)).ShouldBePositive();
    }

    [Fact]
    public async Task Supervision_ProgramMissingAtFirst_TriesAgain()
    {
        Queue<ChildCommand> commands = new([new("/no/such/program", []), Node("console.log('up'); setInterval(() => {}, 1000)")]);
        await using SupervisedChild child = Run(commands.Dequeue);

        await _lines.WaitForAsync(line => line == "up", Cancellation);

        child.FirstExit.IsFaulted.ShouldBeTrue();
    }

    [Fact]
    public async Task DisposeAsync_Running_EndsTheChildForGood()
    {
        SupervisedChild child = Run(() => Node("process.on('SIGTERM', () => process.exit(5)); console.log('up'); setInterval(() => {}, 1000)"));
        await _lines.WaitForAsync(line => line == "up", Cancellation);

        await child.DisposeAsync();

        (await child.FirstExit).ShouldBe(5);
        child.Pid.ShouldBeNull();
        _starts.Reader.Count.ShouldBe(1);
    }

    public void Dispose() => _allEnd.Dispose();
}
