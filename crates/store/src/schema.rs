//! The tables as both databases have them. Column types are the common subset: `Text`, `Integer`, `BigInt`, `Bool`
//! and `Binary`; the migrations say the same twice, once per database.

diesel::table! {
    instances (id) {
        id -> Text,
        incarnation -> Integer,
        state -> Text,
        service_id -> Text,
        plan_id -> Text,
        organization -> Text,
        space -> Text,
        parameters -> Text,
        context -> Text,
        identity -> Nullable<Text>,
        api_version -> Text,
        received_at -> BigInt,
        settings -> Text,
        reference -> Text,
        distribution -> Nullable<Text>,
        distribution_domain -> Nullable<Text>,
        lease_token -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    operations (id) {
        seq -> BigInt,
        id -> Text,
        instance -> Text,
        track -> Text,
        kind -> Text,
        state -> Text,
        step -> Text,
        attempt -> Integer,
        next_at -> BigInt,
        step_since -> BigInt,
        started_at -> BigInt,
        sentence -> Nullable<Text>,
        error -> Nullable<Text>,
        waits_for -> Nullable<Text>,
        request_identity -> Nullable<Text>,
        new_settings -> Nullable<Text>,
        new_plan_id -> Nullable<Text>,
        new_parameters -> Nullable<Text>,
        new_context -> Nullable<Text>,
        sent_parameters -> Nullable<Text>,
        identity -> Nullable<Text>,
        needs_certificate -> Nullable<Bool>,
        invalidate -> Nullable<Text>,
    }
}

diesel::table! {
    operation_log (seq) {
        seq -> BigInt,
        operation -> Text,
        step -> Text,
        outcome -> Text,
        sentence -> Text,
        request_id -> Nullable<Text>,
        at -> BigInt,
    }
}

diesel::table! {
    certificates (instance, incarnation, generation) {
        instance -> Text,
        incarnation -> Integer,
        generation -> Integer,
        requested -> Text,
        issuance -> Text,
        vault_name -> Text,
        stored -> Nullable<Text>,
        state -> Text,
        serial -> Nullable<Text>,
        fingerprint -> Nullable<Text>,
        not_before -> Nullable<BigInt>,
        not_after -> Nullable<BigInt>,
        names -> Nullable<Text>,
        renewal_id -> Nullable<Text>,
        issuer -> Nullable<Text>,
        keyless -> Bool,
    }
}

diesel::table! {
    renewals (instance) {
        instance -> Text,
        incarnation -> Integer,
        generation -> Integer,
        window_from -> Nullable<BigInt>,
        window_until -> Nullable<BigInt>,
        renew_at -> Nullable<BigInt>,
        check_at -> BigInt,
        begun -> Integer,
        warned -> Integer,
    }
}

diesel::table! {
    instance_domains (instance, name) {
        instance -> Text,
        name -> Text,
        state -> Text,
        since -> BigInt,
        inherited -> Bool,
    }
}

diesel::table! {
    pages (instance) {
        instance -> Text,
        generation -> Integer,
        seen_at -> Nullable<BigInt>,
        seen -> Nullable<Text>,
    }
}

diesel::table! {
    page_keys (name) {
        name -> Text,
        key -> Text,
    }
}

diesel::table! {
    sweeps (vault_name) {
        vault_name -> Text,
        instance -> Text,
        since -> BigInt,
        next_at -> BigInt,
        told -> Bool,
    }
}

diesel::table! {
    breakers (scope) {
        scope -> Text,
        since -> BigInt,
        cause -> Text,
        probe_at -> BigInt,
        probes -> Integer,
        waited -> Integer,
        gone_since -> Nullable<BigInt>,
        told -> Bool,
        tell_at -> Nullable<BigInt>,
        version -> Integer,
    }
}

diesel::table! {
    issuances (id) {
        id -> Text,
        version -> Integer,
        request -> Text,
        directory -> Text,
        private_key -> Nullable<Text>,
        csr -> Nullable<Binary>,
        order_url -> Nullable<Text>,
        order_expires -> Nullable<BigInt>,
        orders_placed -> Integer,
        thumbprint -> Nullable<Text>,
        presented -> Text,
        failure -> Nullable<Text>,
        chain -> Nullable<Text>,
        opened_at -> BigInt,
        abandoned -> Bool,
    }
}

diesel::table! {
    authorizations (issuance, position) {
        issuance -> Text,
        position -> Integer,
        name -> Text,
        url -> Text,
        http_token -> Nullable<Text>,
        http_answer -> Nullable<Text>,
        dns_value -> Nullable<Text>,
        method -> Nullable<Text>,
        state -> Text,
        last_look_at -> Nullable<BigInt>,
        last_look_saw -> Nullable<Text>,
        next_look -> Nullable<BigInt>,
    }
}

diesel::table! {
    proof_credits (authorization_url) {
        authorization_url -> Text,
        tenant -> Text,
    }
}

diesel::table! {
    accounts (directory) {
        directory -> Text,
        key -> Text,
        url -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    next_account_keys (directory) {
        directory -> Text,
        key -> Text,
    }
}

diesel::table! {
    checks (name) {
        name -> Text,
        next_at -> BigInt,
        leased_until -> Nullable<BigInt>,
        runs -> Integer,
        failures -> Integer,
        failing_since -> Nullable<BigInt>,
        told -> Bool,
        version -> Integer,
    }
}

diesel::table! {
    check_runs (name, number) {
        name -> Text,
        number -> Integer,
        began -> BigInt,
        took -> BigInt,
        outcome -> Text,
        steps -> Text,
    }
}

diesel::table! {
    check_notes (key) {
        key -> Text,
        text -> Text,
    }
}

diesel::table! {
    mishaps (class, instance) {
        class -> Text,
        instance -> Text,
        tenant -> Text,
        side -> Text,
        sentence -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    site_findings (instance) {
        instance -> Text,
        found -> Text,
    }
}

diesel::table! {
    chores (name) {
        name -> Text,
        next_at -> BigInt,
        found -> Text,
    }
}

diesel::table! {
    incidents (id) {
        id -> Text,
        subject -> Text,
        message -> Text,
        side -> Nullable<Text>,
        affected -> Text,
        opened_at -> BigInt,
        last_at -> BigInt,
        raised -> Integer,
        turns -> Integer,
        closed_at -> Nullable<BigInt>,
        version -> Integer,
    }
}

diesel::table! {
    deliveries (seq) {
        seq -> BigInt,
        about -> Text,
        number -> Integer,
        target -> Text,
        notice -> Text,
        created_at -> BigInt,
        next_at -> BigInt,
        attempts -> Integer,
        state -> Text,
        ended_at -> Nullable<BigInt>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    ledger (key) {
        key -> Text,
        moment -> BigInt,
    }
}

diesel::table! {
    imports (instance) {
        instance -> Text,
        source -> Text,
        operation -> Text,
        imported_at -> BigInt,
    }
}

diesel::joinable!(operations -> instances (instance));
diesel::joinable!(authorizations -> issuances (issuance));
diesel::allow_tables_to_appear_in_same_query!(instances, operations, certificates, issuances, authorizations);
diesel::joinable!(next_account_keys -> accounts (directory));
diesel::allow_tables_to_appear_in_same_query!(accounts, next_account_keys);
diesel::allow_tables_to_appear_in_same_query!(imports, operations);
