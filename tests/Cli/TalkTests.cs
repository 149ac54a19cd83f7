using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace OllamaMax.Cli.Tests;

/// <summary><c>run MODEL</c> with somebody who types; the edge is played, as only such a one fails, thinks and never ends when it is to.</summary>
public sealed class TalkTests : IAsyncLifetime
{
    private readonly Keyboard _keyboard = new();
    private readonly WatchedWriter _output = new();
    private readonly WatchedWriter _errors = new();
    private readonly Interrupts _interrupts = new();
    private readonly ConcurrentQueue<JsonElement> _asked = [];
    private WebApplication _edge = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _edge = await PlayedEdge.StartAsync(AnswerAsync);

    public async ValueTask DisposeAsync()
    {
        await _edge.DisposeAsync();
        _interrupts.Dispose();
        await _output.DisposeAsync();
        await _errors.DisposeAsync();
        _keyboard.Dispose();
    }

    [Fact]
    public async Task Interrupt_DuringAnAnswer_EndsThatAnswerAlone()
    {
        Task<int> talk = TalkAsync();
        _keyboard.Type("endless");
        await _output.WaitForAsync("on and on", Cancellation);

        _interrupts.Raise().ShouldBeTrue();
        _keyboard.Type("hello");
        await _output.WaitForAsync("you said hello", Cancellation);
        _keyboard.Type("/bye");

        (await talk).ShouldBe(ExitCode.Done);
        Said(_asked.Last()).ShouldBe(["user: endless", "assistant: on and on", "user: hello"]);
    }

    [Fact]
    public async Task Interrupt_WhileNothingRuns_EndsTheTalk()
    {
        Task<int> talk = TalkAsync();
        _keyboard.Type("hello");
        await _output.WaitForAsync("you said hello", Cancellation);
        await _errors.WaitForAsync(">>> >>> ", Cancellation);

        _interrupts.Raise().ShouldBeTrue();

        (await talk).ShouldBe(ExitCode.Interrupted);
        // Who asks again wants no more patience.
        _interrupts.Raise().ShouldBeFalse();
    }

    [Fact]
    public async Task Error_OfAnAnswer_IsSaidAndTheTalkGoesOnWithoutItsQuestion()
    {
        Task<int> talk = TalkAsync();
        _keyboard.Type("hello");
        _keyboard.Type("fail");
        _keyboard.Type("again");
        _keyboard.Type("/bye");

        (await talk).ShouldBe(ExitCode.Done);

        _errors.ToString().ShouldContain("error: no worker is free");
        Said(_asked.Last()).ShouldBe(["user: hello", "assistant: you said hello", "user: again"]);
    }

    [Theory]
    [InlineData("--think", true)]
    [InlineData("--no-think", false)]
    public async Task Think_OrNot_IsAskedForAndKeptApartFromTheAnswer(string option, bool thinks)
    {
        Task<int> talk = TalkAsync(option);
        _keyboard.Type("hello");
        _keyboard.Type("/bye");

        (await talk).ShouldBe(ExitCode.Done);

        _asked.Single().Member("think").GetBoolean().ShouldBe(thinks);
        _output.ToString().ShouldBe("you said hello" + Environment.NewLine);
        _errors.ToString().Contains("hm, hello" + Environment.NewLine, StringComparison.Ordinal).ShouldBe(thinks);
    }

    [Fact]
    public async Task Think_AndNot_IsRefused() => (await TalkAsync("--think", "--no-think")).ShouldBe(ExitCode.Failed);

    private static string[] Said(JsonElement request) => [.. request.Items("messages").Select(message => $"{message.Text("role")}: {message.Text("content")}")];

    private Task<int> TalkAsync(params string[] options) => Task.Run(() =>
        RootCommands.Create(_keyboard, _output, _errors, _interrupts, isInteractive: true).Parse(["run", "demo", .. options, "--edge", _edge.Urls.Single()])
            .InvokeAsync(new() { Output = _output, Error = _errors }, _interrupts.Token));

    private async Task AnswerAsync(HttpContext context)
    {
        using JsonDocument read = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: Cancellation);
        JsonElement request = read.RootElement.Clone();
        _asked.Enqueue(request);
        string question = request.Items("messages").Last().Shown("content");
        if (question == "fail")
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await context.Response.WriteAsJsonAsync(new { error = "no worker is free" }, Cancellation);
            return;
        }
        if (request.Is("think"))
            await WriteAsync(context, new { thinking = "hm, hello" });
        await WriteAsync(context, new { content = question == "endless" ? "on and on" : $"you said {question}" });
        if (question == "endless")
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task WriteAsync(HttpContext context, object message)
    {
        await context.Response.WriteAsync(JsonSerializer.Serialize(new { message }) + "\n", Cancellation);
        await context.Response.Body.FlushAsync(Cancellation);
    }

    /// <summary>Lines that are typed; a read waits for the next, as a terminal's does.</summary>
    private sealed class Keyboard : TextReader
    {
        private readonly BlockingCollection<string> _lines = [];

        public void Type(string line) => _lines.Add(line, Cancellation);

        public override string? ReadLine()
        {
            try
            {
                return _lines.Take(Cancellation);
            }
            catch (InvalidOperationException)
            {
                return null; // Nobody types any more.
            }
        }

        protected override void Dispose(bool disposing)
        {
            _lines.CompleteAdding();
            base.Dispose(disposing);
        }
    }

    /// <summary>Says when a text has come.</summary>
    private sealed class WatchedWriter : TextWriter
    {
        private readonly StringBuilder _text = new();
        private readonly Channel<bool> _written = Channel.CreateUnbounded<bool>();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (_text)
                _text.Append(value);
            _written.Writer.TryWrite(true);
        }

        public async Task WaitForAsync(string text, CancellationToken cancellationToken)
        {
            while (!ToString().Contains(text, StringComparison.Ordinal))
                await _written.Reader.ReadAsync(cancellationToken);
        }

        public override string ToString()
        {
            lock (_text)
                return _text.ToString();
        }
    }
}
