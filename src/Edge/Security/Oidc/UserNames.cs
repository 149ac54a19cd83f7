using System.Collections.Concurrent;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>What users of the issuer who came to this edge are called, for those who look at usage. Only shown.</summary>
internal sealed class UserNames
{
    /// <summary>A hundred bytes each; who comes when there are more begins them anew.</summary>
    private const int MostKept = 100_000;

    private readonly ConcurrentDictionary<(string Tenant, string Credential), string> _names = [];

    public void Note(Principal user)
    {
        if (user is not { Credential: { } credential, DisplayName: { } name })
            return;
        if (_names.TryGetValue((user.Tenant, credential), out string? known) && known == name)
            return;
        if (_names.Count >= MostKept)
            _names.Clear();
        _names[(user.Tenant, credential)] = name;
    }

    /// <summary>Null: a key, or nobody who came here.</summary>
    public string? Find(string tenant, string credential) => _names.GetValueOrDefault((tenant, credential));
}
