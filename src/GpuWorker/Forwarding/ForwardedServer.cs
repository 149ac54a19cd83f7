using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>One server: asked for its models again and again, and offering none while it is away.</summary>
internal sealed partial class ForwardedServer : IAsyncDisposable
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskWhenAway = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(10);

    private readonly ForwardTarget _target;
    private readonly ServerConnection _connection;
    private readonly IServerDialect _dialect;
    private readonly SemaphoreSlim _slots;
    private readonly int _slotCount;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeSignal _soon;
    private readonly Dictionary<string, ForwardingEngine> _engines = [];
    private volatile IReadOnlyList<ForwardedModel> _models = [];
    private bool? _isThere;

    public ForwardedServer(ForwardTarget target, HttpClient http, int slots, TimeProvider time, ILogger logger)
    {
        _target = target;
        _connection = new ServerConnection(http, target);
        _dialect = target.Speaks == ServerKind.Ollama ? new OllamaDialect(target, logger) : new OpenAIDialect(target.Speaks);
        _slots = new SemaphoreSlim(slots);
        _slotCount = slots;
        _time = time;
        _logger = logger;
        _soon = new WakeSignal(time);
    }

    /// <summary>Its models have changed. Called on the asking loop.</summary>
    public event Action? Changed;

    /// <summary>What it offers at the moment.</summary>
    public IReadOnlyList<ForwardedModel> Models => _models;

    public ForwardingEngine EngineOf(ForwardedModel model)
    {
        lock (_engines)
        {
            if (!_engines.TryGetValue(model.Model, out ForwardingEngine? engine))
                _engines[model.Model] = engine = new ForwardingEngine(_connection, _dialect, model.Model, _slots, _slotCount, _soon.Set, _time);
            return engine;
        }
    }

    public async Task KeepAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await _soon.WaitAsync(_isThere == true ? AskEvery : AskWhenAway, stopping);
                await AskAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Asks the server for its models; it is away when it does not answer.</summary>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(AnswersWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            IReadOnlyList<ForwardedModel> models = await _dialect.ListAsync(_connection, either.Token);
            if (_isThere != true)
                LogThere(_target, models.Count);
            _isThere = true;
            Offer([.. models.Where(IsNamed)]);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or InvalidOperationException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // JSON of another form than the server's kind has is an InvalidOperationException.
            if (_isThere != false)
                LogAway(_target, e.Message);
            _isThere = false;
            Offer([]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ForwardingEngine engine in _engines.Values)
            await engine.DisposeAsync();
    }

    private bool IsNamed(ForwardedModel model)
    {
        bool isNamed = ModelName.TryParse(model.Name, out _, out string? why);
        if (!isNamed && _models.Count == 0)
            LogUnnamed(_target, model.Model, why!);
        return isNamed;
    }

    private void Offer(IReadOnlyList<ForwardedModel> models)
    {
        bool isSame = models.Select(Describe).SequenceEqual(_models.Select(Describe));
        _models = models;
        if (!isSame)
            Changed?.Invoke();
    }

    private static string Describe(ForwardedModel model) => JsonSerializer.Serialize(model, Streaming.ProtocolJson.Default.ForwardedModel);

    [LoggerMessage(Level = LogLevel.Information, Message = "Forwarding to {Server}: {Count} models")]
    private partial void LogThere(ForwardTarget server, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Server} is away ({Reason}); its models are not offered until it is back")]
    private partial void LogAway(ForwardTarget server, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Server} has a model '{Model}' that cannot be offered: {Reason}")]
    private partial void LogUnnamed(ForwardTarget server, string model, string reason);
}
