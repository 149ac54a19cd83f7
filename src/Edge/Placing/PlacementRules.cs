using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Tenants;
using OllamaMax.Models;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Placing;

/// <summary>The rules by which jobs are placed: what is configured for their model, and where their tenant's data may go.</summary>
internal sealed class PlacementRules
{
    private readonly ModelPlacement _default;
    private readonly Dictionary<ModelName, ModelPlacement> _models;
    private readonly IOptions<TenantOptions> _tenants;
    private readonly LeastLoadedPolicy _leastLoaded;
    private readonly ConcurrentDictionary<(ModelPlacement Placement, string Labels, long Bytes, string? ImagesFor), PlacementRule> _rules = [];

    public PlacementRules(IOptions<PlacementOptions> options, IOptions<TenantOptions> tenants, Random random)
    {
        _default = options.Value.Default;
        _models = options.Value.Models.ToDictionary(model => ModelName.Parse(model.Key), model => model.Value.Or(_default));
        _tenants = tenants;
        _leastLoaded = new LeastLoadedPolicy(random);
    }

    /// <summary>Some jobs may not run on some workers.</summary>
    public bool KeepAnybodyAway => _models.Values.Append(_default).Any(placement => placement.Labels is not null || placement.MinVersion is not null)
        || _tenants.Value.Limits.Values.Any(limits => limits.Labels is not null);

    /// <param name="tenant">Null: whosever the job is.</param>
    /// <param name="hasImages">Of a job with images.</param>
    public PlacementRule Of(ModelView model, string? tenant, bool hasImages = false) =>
        Of(_models.GetValueOrDefault(model.Name, _default), tenant, model.Forwarded is null ? model.WeightsSize : 0, hasImages ? model.Weights : null);

    /// <summary>Of a job that has its model by digest alone. Of several names that stand for it, one that has a rule of its own counts.</summary>
    /// <param name="listed">The catalogue.</param>
    public PlacementRule Of(string digest, IReadOnlyList<ModelView> listed, string? tenant, bool hasImages = false)
    {
        ModelView? model = listed.Where(model => model.Weights == digest).MaxBy(model => _models.ContainsKey(model.Name));
        return model is null ? Of(_default, tenant, bytes: 0, hasImages ? digest : null) : Of(model, tenant, hasImages);
    }

    private PlacementRule Of(ModelPlacement placement, string? tenant, long bytes, string? imagesFor)
    {
        string labels = (tenant is null ? null : _tenants.Value.Of(tenant).Labels) ?? "";
        return _rules.GetOrAdd((placement, labels, bytes, imagesFor), key => new PlacementRule
        {
            Policy = key.Placement.Policy == ModelPlacement.LeastLoaded ? _leastLoaded : PlacementRule.Default.Policy,
            Labels = Read(key.Placement.Labels).And(Read(key.Labels)),
            MinVersion = key.Placement.MinVersion is { } version ? Version.Parse(version) : null,
            ModelBytes = key.Bytes,
            ImagesFor = key.ImagesFor,
        });
    }

    private static LabelSelector Read(string? labels) =>
        LabelSelector.TryParse(labels, out LabelSelector? selector, out string? error) ? selector : throw new InvalidOperationException(error);
}
