using OllamaMax.Inference.Packages;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Storage.Models;

namespace OllamaMax.LocalHost;

/// <summary>Sees to the models that must be there at start: the demo the first time, and what the command line names.</summary>
internal sealed class StartModels(ModelCatalog catalog, Action<string> say)
{
    private const string Demo = "demo";

    /// <returns>The model that a first request will most likely want.</returns>
    /// <exception cref="StartException">The model asked for is not there, or cannot be used.</exception>
    public async Task<ModelView> PublishAsync(LocalHostOptions options, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<ModelView> present = await catalog.ListAsync(cancellationToken);
            // Only into an empty catalogue: who has deleted it later does not want it back.
            if (present.Count == 0)
                present = [await PublishAsync(DemoFile, Demo, cancellationToken)];
            if (options.ModelFile is { } file)
                return await PublishAsync(file, NameOf(GgufFiles.Find(file)[0]), cancellationToken);
            return options.Model is { } name
                ? await FindAsync(name, cancellationToken)
                : present.FirstOrDefault(model => model.CanComplete, present[0]);
        }
        catch (Exception e) when (e is ModelPublishException or CatalogException or GgufFormatException)
        {
            throw new StartException(e.Message, e);
        }
    }

    private static string DemoFile => Path.Combine(RepositoryRoot.Find(), "models", Demo, "ollamamax-demo.gguf");

    /// <summary>The file's name without its ending, a part's without its number, with what a model's name cannot hold as dashes.</summary>
    private static string NameOf(string file)
    {
        string name = Path.GetFileName(GgufSplit.StemOf(file) ?? Path.ChangeExtension(file, null)).ToLowerInvariant();
        return string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')).Trim('-', '.', '_');
    }

    private async Task<ModelView> PublishAsync(string file, string name, CancellationToken cancellationToken)
    {
        if (!ModelName.TryParse(name, out ModelName? parsed, out string? error))
            throw new StartException($"{file} gives no name for a model: {error}");
        var progress = new Progress(say, parsed);
        ModelView model = await catalog.PublishAsync(file, parsed, progress, cancellationToken);
        say($"model {model.Name}: {model.Details.ParameterSize} parameters, {model.Details.QuantizationLevel}, {ModelDigest.Brief(model.Weights)}");
        return model;
    }

    private async Task<ModelView> FindAsync(string name, CancellationToken cancellationToken)
    {
        ModelView? model = ModelName.TryParse(name, out ModelName? parsed, out string? error)
            ? await catalog.FindAsync(parsed, cancellationToken)
            : throw new StartException($"--model {name}: {error}");
        return model ?? throw new StartException($"--model {name}: no such model is published, and no such file exists");
    }

    /// <summary>A line for each tenth, so that a large file does not look like a hang.</summary>
    private sealed class Progress(Action<string> say, ModelName name) : IProgress<PublishProgress>
    {
        private (PublishStage Stage, long Tenths) _said;

        public void Report(PublishProgress value)
        {
            const long large = 256L << 20;
            if (value.Total < large)
                return;
            var now = (value.Stage, value.Completed * 10 / value.Total);
            if (now == _said)
                return;
            _said = now;
            say($"model {name}: {value.Stage.ToString().ToLowerInvariant()} {value.Completed * 100 / value.Total} %");
        }
    }
}
