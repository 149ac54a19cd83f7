using System.Text.Json;
using OllamaMax.Models;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class KeyGrantTests
{
    [Fact]
    public void Principal_KeptAndReadAgain_MayWhatTheKeyMight()
    {
        Principal caller = new("tenant", "ada", Permissions.Infer | Permissions.OwnJobs)
        {
            Credential = "k1",
            Limits = new UsageLimits { TokensPerDay = 7 },
            Models = new ModelAllowList(["demo", "qwen*"]),
        };

        KeyGrant kept = JsonSerializer.Deserialize<KeyGrant>(JsonSerializer.Serialize(KeyGrant.Of(caller)))!;
        Principal later = kept.Principal(caller.Tenant, caller.Name);

        (later.Tenant, later.Name, later.Permissions).ShouldBe(("tenant", "ada", Permissions.Infer));
        (later.Credential, later.Limits).ShouldBe(("k1", new UsageLimits { TokensPerDay = 7 }));
        later.Models.Allows(ModelName.Parse("demo")).ShouldBeTrue();
        later.Models.Allows(ModelName.Parse("other")).ShouldBeFalse();
    }

    [Fact]
    public void Principal_OfAnonymous_IsBoundedByNothing()
    {
        Principal later = KeyGrant.Of(new("tenant", "local", Permissions.Infer)).Principal("tenant", "local");

        later.Models.IsAll.ShouldBeTrue();
        later.Limits.IsNone.ShouldBeTrue();
        later.Credential.ShouldBeNull();
    }
}
