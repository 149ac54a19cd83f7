using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>A running surface with the sender and the listeners that the product uses.</summary>
internal sealed class SurfaceHarness : IAsyncDisposable
{
    public const string HubName = "test";

    private readonly List<IAsyncDisposable> _listeners = [];
    private readonly CancellationTokenSource _cancel;

    private SurfaceHarness(SignalRSurface surface, TimeProvider time, CancellationTokenSource cancel)
    {
        _cancel = cancel;
        Surface = surface;
        Connection = SignalRConnectionString.Parse(surface.ConnectionString);
        Sender = new SignalRSender(time);
        Hub = new SignalRHub(Connection, HubName, Sender, time);
    }

    public SignalRSurface Surface { get; }

    public SignalRConnectionString Connection { get; }

    public string AccessKey => Connection.AccessKey;

    public SignalRSender Sender { get; }

    public SignalRHub Hub { get; }

    /// <summary>A test that waits for what does not come ends by it.</summary>
    public CancellationToken Cancel => _cancel.Token;

    public static async Task<SurfaceHarness> StartAsync(string faults = "", TimeProvider? time = null)
    {
        SignalRSurfaceOptions options = new() { Faults = SignalRFaultOptions.Parse(faults) };
        time ??= TimeProvider.System;
        CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        cancel.CancelAfter(TimeSpan.FromMinutes(2));
        return new(await SignalRSurface.StartAsync(options, time, NullLoggerFactory.Instance, cancel.Token), time, cancel);
    }

    /// <summary>Connects a user and waits until messages reach it.</summary>
    public async Task<Inbox> ListenAsync(string user, HttpTransportType? transports = null, string hub = HubName)
    {
        SignalRHub negotiator = new(Connection, hub, Sender, TimeProvider.System);
        Inbox inbox = new(
            _ => ValueTask.FromResult(negotiator.Negotiate(user, TimeSpan.FromMinutes(5))), transports ?? HttpTransports.All, Cancel);
        _listeners.Add(inbox);
        await Surface.WaitForUserAsync(hub, user, Cancel);
        return inbox;
    }

    public Task<SendOutcome> SendAsync(string user, string text) =>
        Hub.SendToUserAsync(user, "message", text, TestJson.Default.String, Cancel);

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable listener in _listeners)
            await listener.DisposeAsync();
        Sender.Dispose();
        await Surface.DisposeAsync();
        _cancel.Dispose();
    }
}

/// <summary>What a listening user received, in order.</summary>
internal sealed class Inbox : IAsyncDisposable
{
    private readonly Channel<string> _messages = Channel.CreateUnbounded<string>();
    private readonly Channel<ListenerState> _states = Channel.CreateUnbounded<ListenerState>();
    private readonly SignalRListener _listener;
    private readonly CancellationToken _cancel;

    public Inbox(Func<CancellationToken, ValueTask<Negotiation>> negotiate, HttpTransportType transports, CancellationToken cancel)
    {
        _cancel = cancel;
        _listener = new(negotiate, TimeProvider.System, new Random(1), NullLoggerFactory.Instance) { Transports = transports };
        _listener.On("message", text => _messages.Writer.TryWrite(text.GetString()!));
        _listener.StateChanged += state => _states.Writer.TryWrite(state);
        _listener.Start();
    }

    public SignalRListener Listener => _listener;

    public ValueTask<string> NextAsync() => _messages.Reader.ReadAsync(_cancel);

    public async Task<List<string>> TakeAsync(int count)
    {
        List<string> taken = [];
        while (taken.Count < count)
            taken.Add(await NextAsync());
        return taken;
    }

    /// <summary>All up to <paramref name="last"/>, which is a message sent undisturbed after them.</summary>
    public async Task<List<string>> TakeUntilAsync(string last)
    {
        List<string> taken = [];
        for (string next = await NextAsync(); next != last; next = await NextAsync())
            taken.Add(next);
        return taken;
    }

    public async Task ShouldPassAsync(params ListenerState[] states)
    {
        foreach (ListenerState state in states)
            (await _states.Reader.ReadAsync(_cancel)).ShouldBe(state);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();
}

[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Negotiation))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class TestJson : JsonSerializerContext;
