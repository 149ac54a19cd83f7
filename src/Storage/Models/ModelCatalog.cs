using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>
/// The published models, as blob storage has them. Served from a snapshot in memory that is refreshed by being asked for: within
/// 10 s of a refresh nothing is asked of storage, up to 60 s it is refreshed beside the request, after that before it. Without
/// requests storage is left alone.
/// </summary>
public sealed partial class ModelCatalog : IDisposable
{
    internal static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan UsableFor = TimeSpan.FromSeconds(60);

    /// <summary>A name that nobody knows may have been published just now: but it does not buy more than one look a second.</summary>
    internal static readonly TimeSpan UnknownNameInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _disposed = new();
    private readonly CatalogReader _reader;
    private readonly ModelPublisher _publisher;
    private readonly ManifestWriter _manifests;
    private readonly ModelBlobs _blobs;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelCatalog> _logger;
    private volatile CatalogSnapshot? _snapshot;
    private volatile CatalogSnapshot? _outdated;
    private Task<CatalogSnapshot>? _refresh;

    /// <param name="blobs">The cluster's storage; its retry policy is the only one here.</param>
    /// <param name="time">For the age of the snapshot.</param>
    /// <param name="logger">Told of models that cannot be read, and of refreshes that fail beside a request.</param>
    /// <param name="cacheFolder">Keeps digests of published files, so that an unchanged one is not read again; null: every
    /// publish reads the file.</param>
    public ModelCatalog(BlobServiceClient blobs, TimeProvider time, ILogger<ModelCatalog> logger, string? cacheFolder = null)
        : this(blobs.GetBlobContainerClient(Containers.Models), time, logger, cacheFolder)
    {
    }

    /// <summary>On a container of one's own: tests share a storage account.</summary>
    internal ModelCatalog(BlobContainerClient container, TimeProvider time, ILogger<ModelCatalog> logger, string? cacheFolder)
    {
        _reader = new CatalogReader(container, time, logger);
        _publisher = new ModelPublisher(container, new FileDigestCache(cacheFolder, logger));
        _manifests = new ManifestWriter(container);
        _blobs = new ModelBlobs(container);
        _time = time;
        _logger = logger;
    }

    /// <summary>Null where nothing is published under that name; case does not matter.</summary>
    /// <exception cref="CatalogException">There is no usable snapshot, and storage cannot be read.</exception>
    public async ValueTask<ModelView?> FindAsync(ModelName name, CancellationToken cancellationToken) =>
        (await FindEntryAsync(name, cancellationToken))?.View;

    /// <summary>All models, the last published first.</summary>
    /// <exception cref="CatalogException">There is no usable snapshot, and storage cannot be read.</exception>
    public async ValueTask<IReadOnlyList<ModelView>> ListAsync(CancellationToken cancellationToken) =>
        (await CurrentAsync(cancellationToken)).Models;

    /// <summary>All models as storage has them now, the last published first: for what cannot be undone.</summary>
    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    public async Task<IReadOnlyList<ModelView>> ListNowAsync(CancellationToken cancellationToken) => (await RefreshAfterNowAsync(cancellationToken)).Models;

    /// <summary>
    /// Puts a GGUF into storage and the name onto it. What is there already is not sent again; the manifest comes last, so that a
    /// name never stands for something that is not there. Publishing the same again changes nothing.
    /// </summary>
    /// <returns>The model as the catalogue has it now.</returns>
    /// <exception cref="ModelPublishException">The file is to blame.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<ModelView> PublishAsync(
        string ggufPath, ModelName name, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        ModelName stored = await FindStoredAsync(name, cancellationToken);
        await _publisher.PublishAsync(ggufPath, stored, progress, cancellationToken);
        LogPublished(stored, ggufPath);
        CatalogSnapshot snapshot = await RefreshAfterNowAsync(cancellationToken);
        return snapshot.Find(stored) ?? throw new CatalogException($"model '{stored}' was deleted while it was published");
    }

    /// <summary>Puts another name onto what <paramref name="source"/> stands for; a name that stood before stands for that from now on.</summary>
    /// <returns>False where nothing has the name of the source.</returns>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public Task<bool> CopyAsync(ModelName source, ModelName destination, CancellationToken cancellationToken) =>
        ChangeAsync(destination, async stored =>
        {
            if (await FindAsync(source, cancellationToken) is not { } from || await _manifests.ReadAsync(from.Name, cancellationToken) is not var (manifest, _))
                return false;
            return await _manifests.WriteAsync(stored, manifest, cancellationToken);
        }, cancellationToken);

    /// <summary>Takes a name away. The blobs behind it stay until nothing refers to them and they are collected.</summary>
    /// <returns>False where nothing has that name.</returns>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public Task<bool> DeleteAsync(ModelName name, CancellationToken cancellationToken) =>
        ChangeAsync(name, stored => _manifests.DeleteAsync(stored, cancellationToken), cancellationToken);

    /// <summary>Puts a name onto the weights of another model, with a Modelfile over that of the other.</summary>
    /// <returns>False where nothing has the name of the source.</returns>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public Task<bool> DeriveAsync(ModelName source, ModelName name, Modelfile changes, CancellationToken cancellationToken) =>
        ChangeAsync(name, async stored =>
        {
            if (await FindAsync(source, cancellationToken) is not { } from || await _manifests.ReadAsync(from.Name, cancellationToken) is not var (manifest, config))
                return false;
            Modelfile modelfile = changes.Over(config.Modelfile ?? Modelfile.None);
            return await _manifests.WriteAsync(stored, config with { Modelfile = modelfile }, manifest.Layers, cancellationToken);
        }, cancellationToken);

    /// <summary>Puts a name onto a GGUF that is in storage already (<see cref="ModelBlobs"/>).</summary>
    /// <param name="digest">Of the GGUF.</param>
    /// <param name="name">The model's.</param>
    /// <param name="modelfile">What is said beside the weights.</param>
    /// <param name="cancellationToken">Ends it before the name is there.</param>
    /// <param name="adapters">Digests of what was added to the GGUF; null: nothing.</param>
    /// <param name="translatedFrom">As <see cref="ModelConfig.TranslatedFrom"/>.</param>
    /// <returns>False where one of the blobs is not in storage.</returns>
    /// <exception cref="ModelPublishException">It is no GGUF of a language model.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public Task<bool> CreateAsync(
        string digest, ModelName name, Modelfile modelfile, CancellationToken cancellationToken, IReadOnlyList<string>? adapters = null, string? translatedFrom = null) =>
        ChangeAsync(name, async stored =>
        {
            List<ModelLayer> layers = [];
            foreach (string layer in (adapters ?? []).Prepend(digest))
            {
                if (await _blobs.FindAsync(layer, cancellationToken) is not { } size)
                    return false;
                layers.Add(new(layers.Count == 0 ? ModelLayer.Model : ModelLayer.Adapter, layer, size));
            }
            try
            {
                await using Stream file = await _blobs.OpenAsync(digest, cancellationToken);
                ModelConfig config = ModelConfig.From(GgufReader.Read(file)) with { Modelfile = modelfile, TranslatedFrom = translatedFrom };
                return await _manifests.WriteAsync(stored, config, layers, cancellationToken);
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                // Collected since it was found, as no name stood for it.
                return false;
            }
            catch (GgufFormatException e)
            {
                throw new ModelPublishException($"{digest} cannot be made a model: {e.Message}", e);
            }
        }, cancellationToken);

    public void Dispose()
    {
        _disposed.Cancel();
        _disposed.Dispose();
    }

    /// <summary>Changes one name, and has everybody here see it.</summary>
    /// <param name="name">The name, in whatever case.</param>
    /// <param name="change">Given the name in the case it stands in already; whether it changed anything.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    private async Task<bool> ChangeAsync(ModelName name, Func<ModelName, Task<bool>> change, CancellationToken cancellationToken)
    {
        ModelName stored = await FindStoredAsync(name, cancellationToken);
        bool isChanged;
        try
        {
            isChanged = await change(stored);
        }
        catch (FormatException e)
        {
            throw new CatalogException($"model '{stored}' cannot be changed: {e.Message}", e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // It may be changed all the same.
            _outdated = _snapshot;
            throw new CatalogException($"model '{stored}' cannot be changed in blob storage", e);
        }
        if (isChanged)
            LogChanged(stored);
        else if (_snapshot?.FindEntry(stored) is null)
            return false;
        // Also where one that is listed here was not changed: another edge may have deleted it.
        try
        {
            await RefreshAfterNowAsync(cancellationToken);
        }
        catch (CatalogException e)
        {
            // What is changed is stored. Whoever asks next has it read.
            _outdated = _snapshot;
            LogRefreshFailed(e);
        }
        return isChanged;
    }

    /// <summary>A name that stands keeps its case, whether or not it can be read.</summary>
    private async Task<ModelName> FindStoredAsync(ModelName name, CancellationToken cancellationToken) =>
        (await FindEntryAsync(name, cancellationToken))?.Name ?? name;

    private async ValueTask<CatalogEntry?> FindEntryAsync(ModelName name, CancellationToken cancellationToken)
    {
        CatalogSnapshot snapshot = await CurrentAsync(cancellationToken);
        CatalogEntry? known = snapshot.FindEntry(name);
        return known?.View is not null || AgeOf(snapshot) < UnknownNameInterval ? known : (await RefreshAsync(snapshot, cancellationToken)).FindEntry(name);
    }

    private async ValueTask<CatalogSnapshot> CurrentAsync(CancellationToken cancellationToken)
    {
        CatalogSnapshot? snapshot = _snapshot;
        if (snapshot is null || AgeOf(snapshot) > UsableFor)
            return await RefreshAsync(snapshot, cancellationToken);
        if (AgeOf(snapshot) > FreshFor || snapshot == _outdated)
            _ = RefreshBesideAsync(snapshot);
        return snapshot;
    }

    private TimeSpan AgeOf(CatalogSnapshot snapshot) => _time.GetElapsedTime(snapshot.TakenAt);

    /// <summary>
    /// A snapshot newer than the one that was <paramref name="seen"/>. One refresh at a time; who asks while it runs shares it,
    /// and who leaves does not end it for the others.
    /// </summary>
    private Task<CatalogSnapshot> RefreshAsync(CatalogSnapshot? seen, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_refresh is null && _snapshot is { } newer && newer != seen)
                return Task.FromResult(newer);
            _refresh ??= Task.Run(ReadAsync, CancellationToken.None);
            return _refresh.WaitAsync(cancellationToken);
        }
    }

    private async Task<CatalogSnapshot> ReadAsync()
    {
        CatalogSnapshot? read = null;
        try
        {
            return read = await _reader.ReadAsync(_snapshot, _disposed.Token);
        }
        finally
        {
            lock (_lock)
            {
                _snapshot = read ?? _snapshot;
                _refresh = null;
            }
        }
    }

    private async Task RefreshBesideAsync(CatalogSnapshot seen)
    {
        try
        {
            await RefreshAsync(seen, CancellationToken.None);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Disposed: nobody is left to hear of it.
        }
        catch (Exception e)
        {
            LogRefreshFailed(e);
        }
    }

    /// <summary>
    /// A refresh that runs already may have listed before now: it is waited for, whatever becomes of it, and another one made.
    /// </summary>
    private async Task<CatalogSnapshot> RefreshAfterNowAsync(CancellationToken cancellationToken)
    {
        Task? running;
        lock (_lock)
            running = _refresh;
        if (running is not null)
            await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        CatalogSnapshot? seen = _snapshot;
        return await RefreshAsync(seen, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Published {Model} from {Path}")]
    private partial void LogPublished(ModelName model, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "Changed {Model}")]
    private partial void LogChanged(ModelName model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The model catalogue could not be refreshed; the older one is served")]
    private partial void LogRefreshFailed(Exception exception);
}
