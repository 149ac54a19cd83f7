using Microsoft.Extensions.Options;
using OllamaMax.Edge.Requests;
using OllamaMax.Models;
using OllamaMax.Security;

namespace OllamaMax.Edge.Aliases;

/// <summary>
/// The models by all names that clients use: their own, and the aliases that stand for them. A model of the name wins over an alias. To a client the models that
/// its key may not use are not there.
/// </summary>
internal sealed class NamedModels(IModelSource models, IOptions<AliasOptions> options)
{
    private readonly AliasChains _aliases = new(options.Value.Chains);

    /// <summary>The model that answers to the name, under its own; null where there is none for this caller.</summary>
    public async ValueTask<ModelView?> FindAsync(string name, Principal caller, CancellationToken cancellationToken) =>
        await FindAsync(name, caller.Tenant, cancellationToken) is { } model && caller.Models.Allows(name, model.Name) ? model : null;

    /// <summary>The alias that the name is, as it is configured; null where it is none.</summary>
    public string? AliasOf(string name) => _aliases.Find(name)?.Text;

    private async ValueTask<ModelView?> FindAsync(string name, string tenant, CancellationToken cancellationToken)
    {
        if (_aliases.Find(name) is not { } alias)
            return await models.FindAsync(name, cancellationToken);
        // The list first: for each name of a chain that is not published the source would look into storage.
        IReadOnlyList<ModelView> listed = await models.ListAsync(cancellationToken);
        if (listed.FirstOrDefault(model => model.Name == alias.Name) is { } own)
            return own;
        return Choose(alias, tenant, listed) ?? await FindNewAsync(alias, cancellationToken);
    }

    /// <summary>All models that the caller may use, then the aliases that one answers to now, each as that model under the alias's name.</summary>
    public async ValueTask<IReadOnlyList<NamedModel>> ListAsync(Principal caller, CancellationToken cancellationToken)
    {
        IReadOnlyList<ModelView> listed = await models.ListAsync(cancellationToken);
        HashSet<ModelName> names = [.. listed.Select(model => model.Name)];
        return
        [
            .. listed.Where(model => caller.Models.Allows(model.Name)).Select(model => new NamedModel(DisplayName.Of(model.Name), model)),
            .. from alias in _aliases.All
               where !names.Contains(alias.Name)
               let model = Choose(alias, caller.Tenant, listed)
               where model is not null && caller.Models.Allows(alias.Text, model.Name)
               select new NamedModel(alias.Text, model with { Name = alias.Name }),
        ];
    }

    /// <summary>The first that a worker can take and may have for the tenant; where none can, the first that is there: it waits for one, as any other does.</summary>
    private ModelView? Choose(Alias alias, string tenant, IReadOnlyList<ModelView> listed)
    {
        ModelView? first = null;
        foreach (ModelName name in alias.Chain)
        {
            if (listed.FirstOrDefault(model => model.Name == name) is not { } model)
                continue;
            if (models.IsServed(model, tenant))
                return model;
            first ??= model;
        }
        return first;
    }

    private async ValueTask<ModelView?> FindNewAsync(Alias alias, CancellationToken cancellationToken)
    {
        foreach (ModelName name in alias.Chain.Prepend(alias.Name))
        {
            if (await models.FindAsync(name.FullName, cancellationToken) is { } model)
                return model;
        }
        return null;
    }
}

/// <param name="Id">As clients are shown it and may call it.</param>
/// <param name="Model">What answers to it.</param>
internal sealed record NamedModel(string Id, ModelView Model);
