using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Oidc;
using OllamaMax.Security;

namespace OllamaMax.Edge.Tests.Security;

public sealed class UserGrantsTests
{
    /// <summary>As an operator says it: by a group's id, which no setting's name can hold everywhere, by a role's value, and for everybody.</summary>
    private static readonly OidcOptions Options = Bind(new()
    {
        ["Roles:Model.User"] = "user",
        ["Groups:Default:TokensPerDay"] = "1000",
        ["Groups:Default:RequestsPerMinute"] = "60",
        ["Groups:Default:Models:0"] = "small*",
        ["Groups:research:Value"] = "0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10",
        ["Groups:research:Role"] = "user",
        ["Groups:research:TokensPerDay"] = "50000",
        ["Groups:research:Models:0"] = "large",
        ["Groups:interns:Role"] = "user",
        ["Groups:interns:TokensPerDay"] = "100",
        ["Groups:platform:Role"] = "operator",
    });

    [Fact]
    public void Of_NoGroup_HasWhatEverybodyHas()
    {
        UserGrant grant = Grant(Options, ["Model.User"], []);

        grant.Limits.ShouldBe(new UsageLimits { TokensPerDay = 1000, RequestsPerMinute = 60 });
        grant.Models.Patterns.ShouldBe(["small*"]);
        grant.Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
    }

    [Fact]
    public void Of_Group_ItsOwnComesBeforeEverybodys()
    {
        UserGrant grant = Grant(Options, [], ["0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10"]);

        grant.Limits.ShouldBe(new UsageLimits { TokensPerDay = 50000, RequestsPerMinute = 60 });
        grant.Models.Patterns.ShouldBe(["large"]);
        grant.Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
    }

    /// <summary>Whoever copies an id from elsewhere may have it in capitals; a name in capitals is another's.</summary>
    [Fact]
    public void Of_AnotherCase_IsTheSameIdAndAnotherName()
    {
        const string id = "0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10";
        OidcOptions options = Bind(new() { ["DefaultRole"] = "readonly", [$"Roles:{id.ToUpperInvariant()}"] = "operator", ["Groups:heads:Value"] = id.ToUpperInvariant(), ["Groups:heads:TokensPerDay"] = "7" });

        Grant(Options, [], [id.ToUpperInvariant()]).Limits.TokensPerDay.ShouldBe(50000);
        Grant(options, [], [id]).Limits.TokensPerDay.ShouldBe(7);
        Grant(options, [id], []).Permissions.ShouldBe(Roles.PermissionsOf(Role.Operator));
        Grant(Options, ["Model.User"], ["Interns"]).Limits.TokensPerDay.ShouldBe(1000);
    }

    [Fact]
    public void Of_SeveralGroups_AllModelsAndTheHighestOfEachLimit()
    {
        UserGrant grant = Grant(Options, ["interns"], ["0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10"]);

        grant.Limits.TokensPerDay.ShouldBe(50000);
        grant.Models.Patterns.ShouldBe(["large", "small*"], ignoreOrder: true);
    }

    [Fact]
    public void Of_GroupThatIsLowerThanEverybody_IsHeldLower() => Grant(Options, [], ["interns"]).Limits.TokensPerDay.ShouldBe(100);

    /// <summary>Names of models hold nobody who can copy one onto another name.</summary>
    [Fact]
    public void Of_GroupThatManagesModels_HasThemAll() => Grant(Options, [], ["platform"]).Models.IsAll.ShouldBeTrue();

    [Fact]
    public void Of_NothingIsSaid_IsNotLimited()
    {
        UserGrant grant = Grant(new() { DefaultRole = "user" }, [], ["any"]);

        grant.Limits.IsNone.ShouldBeTrue();
        grant.Models.IsAll.ShouldBeTrue();
        grant.Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
    }

    /// <summary>What is a role's value must not be had by a group that somebody has called so.</summary>
    [Fact]
    public void Of_GroupOfOneClaim_CountsInThatAlone()
    {
        OidcOptions options = Bind(new() { ["DefaultRole"] = "user", ["Groups:heads:Value"] = "Model.Head", ["Groups:heads:Claim"] = "roles", ["Groups:heads:Role"] = "operator" });

        Grant(options, [], ["Model.Head"]).Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
        Grant(options, ["Model.Head"], []).Permissions.ShouldBe(Roles.PermissionsOf(Role.Operator));
    }

    /// <summary>An intern who is in so many groups that the token has none of them must not have what everybody has.</summary>
    [Theory]
    [InlineData("_claim_names", """{"groups":"src1"}""", JsonClaimValueTypes.Json)]
    [InlineData("hasgroups", "true", ClaimValueTypes.Boolean)]
    public void Of_GroupsLeftOut_IsDeniedAndSaysWhy(string claim, string value, string type)
    {
        Claim leftOut = new(claim, value, type);

        ApiError error = new UserGrants(Options).Of(Claims(["Model.User"], [], leftOut)).Error.ShouldNotBeNull();

        error.Status.ShouldBe(403);
        error.Message.ShouldContain("the token leaves out 'groups'");
    }

    /// <summary>What it cannot be told of could only give more, or is of no matter.</summary>
    [Fact]
    public void Of_GroupsLeftOut_WhereTheyCannotTakeAway_LetsIn()
    {
        Claim leftOut = new("hasgroups", "true", ClaimValueTypes.Boolean);
        OidcOptions byRole = Bind(new() { ["DefaultRole"] = "user", ["Groups:Default:TokensPerDay"] = "7", ["Groups:a:Claim"] = "roles" });

        Of(Options, Claims(["interns", "Model.User"], [], leftOut)).Limits.TokensPerDay.ShouldBe(100);
        Of(byRole, Claims([], [], leftOut)).Limits.TokensPerDay.ShouldBe(7);
        Of(Bind(new() { ["DefaultRole"] = "user" }), Claims([], [], leftOut)).Limits.IsNone.ShouldBeTrue();
    }

    [Theory]
    [InlineData("Groups:a:Value", "", "Value and Claim must not be empty")]
    [InlineData("SubjectClaim", "email", "'email' can be given to another person")]
    [InlineData("Groups:a:Role", "boss", "'boss' is no role")]
    [InlineData("Groups:a:TokensPerDay", "-1", "OllamaMax:Oidc:Groups:a: ")]
    [InlineData("Groups:a:Models:0", "a b", "OllamaMax:Oidc:Groups:a:Models: ")]
    [InlineData("Groups:default:Role", "user", "OllamaMax:Oidc:Groups:default is for all users")]
    public void Options_ThatCannotBe_AreRefused(string setting, string value, string error)
    {
        OidcOptions options = Bind(new() { [setting] = value });

        options.Validate(new ValidationContext(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain(error);
    }

    private static UserGrant Grant(OidcOptions options, string[] roles, string[] groups) => Of(options, Claims(roles, groups));

    private static UserGrant Of(OidcOptions options, TokenClaims claims) => new UserGrants(options).Of(claims).Value.ShouldNotBeNull();

    private static TokenClaims Claims(string[] roles, string[] groups, params Claim[] others) =>
        new([.. roles.Select(role => new Claim("roles", role)), .. groups.Select(group => new Claim("groups", group)), .. others]);

    private static OidcOptions Bind(Dictionary<string, string?> settings)
    {
        OidcOptions options = new();
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Bind(options);
        return options;
    }
}
